import { setTimeout as sleep } from "node:timers/promises";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import type { Child } from "../../harness/child.ts";
import { formatNumber } from "../../harness/table.ts";
import { atMost, type Target } from "../../harness/target.ts";
import type { MethodName, RunRequest, RunResult } from "../clients/client-spec.ts";
import { startClient } from "../compare-clients.ts";
import { startServer } from "../compare-servers.ts";
import type { ServerSpec } from "../servers/server-spec.ts";

const inFlight = 64;
/** Methods that a client may repeat and methods that it may not. */
const methods: readonly { method: MethodName; about: string }[] = [
  { method: "getUser", about: "idempotent calls" },
  { method: "renameUser", about: "calls that must not be repeated" },
];

/** Two servers behind one client, restarted one after the other as in a deployment, while calls go on. */
export const restart: Part = {
  name: "restart",
  about: `two servers restarted in turns (SIGTERM, drain, start again) under ${inFlight} calls in flight: how many calls fail`,
  async run(conditions: Conditions): Promise<Outcome> {
    const targets: Target[] = [];
    const results = [];
    const rows: string[][] = [];
    for (const { method, about } of methods) {
      const { restarts, ...result } = await measure(method, conditions);
      results.push({ method, restarts, ...result });
      rows.push([
        about,
        String(restarts),
        formatNumber(result.calls),
        String(result.failed),
        `${formatNumber(result.p50)} ms`,
        `${formatNumber(result.p99)} ms`,
        Object.entries(result.faults)
          .map(([fault, count]) => `${count} × ${fault}`)
          .join("; "),
      ]);
      targets.push(atMost(`rolling restart, ${about}: failed calls`, result.failed, 0));
    }
    conditions.show({
      title: "Rolling restart of two servers",
      columns: ["", "restarts", "calls", "failed", "p50", "p99", "faults"],
      rows,
    });
    return { targets, results };
  },
};

async function measure(method: MethodName, conditions: Conditions): Promise<RunResult & { restarts: number }> {
  const { quick, signal } = conditions;
  const start = (port: number) => {
    const spec: ServerSpec = { kind: "kinora", around: "bare", work: { kind: "wait", ms: 10 }, port };
    return startServer(spec, conditions);
  };
  const servers = [await start(0), await start(0)];
  try {
    const ports = await Promise.all(servers.map((server) => server.ask<number>("port")));
    const target = `static:///${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
    await using client: Child = await startClient({ kind: "kinora", target, payloadBytes: 0 }, conditions);
    const cycles = quick ? 1 : 3;
    const pauseMs = quick ? 300 : 1_500;
    let done = false;
    // Calls go on in short runs until all is over, because nobody knows beforehand how long restarts take.
    const calls = (async () => {
      const runs: RunResult[] = [];
      while (!done) {
        runs.push(await client.ask<RunResult>("run", { method, inFlight, milliseconds: 500 } satisfies RunRequest));
      }
      return runs;
    })();
    // Looked at below; until then a failure must not end the process.
    calls.catch(() => {});
    for (let cycle = 0; cycle < cycles; cycle++) {
      for (const [index, port] of ports.entries()) {
        await sleep(pauseMs, undefined, { signal });
        await servers[index]?.terminate();
        servers[index] = await start(port);
      }
    }
    await sleep(pauseMs, undefined, { signal });
    done = true;
    return { ...total(await calls), restarts: cycles * ports.length };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function total(runs: readonly RunResult[]): RunResult {
  const [first, ...rest] = runs;
  if (first === undefined) {
    throw new Error("no call was made");
  }
  const sum: RunResult = { ...first, faults: { ...first.faults } };
  for (const run of rest) {
    sum.calls += run.calls;
    sum.failed += run.failed;
    for (const [fault, count] of Object.entries(run.faults)) {
      sum.faults[fault] = (sum.faults[fault] ?? 0) + count;
    }
    sum.seconds += run.seconds;
    sum.cpuMicros += run.cpuMicros;
    // Those of the worst half second.
    sum.p50 = Math.max(sum.p50, run.p50);
    sum.p99 = Math.max(sum.p99, run.p99);
    sum.rssBytes = run.rssBytes;
  }
  return sum;
}
