import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { interleave } from "../../harness/rounds.ts";
import { median, pairedRatio } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atMost } from "../../harness/target.ts";
import type { OfferRequest, OfferResult } from "../clients/client-spec.ts";
import { startClient } from "../compare-clients.ts";
import { startServer } from "../compare-servers.ts";
import { samplesOf } from "../server-figures.ts";

const healthyMs = 10;
const slowMs = 20 * healthyMs;
const perSecond = 500;

/** One of three servers takes twenty times as long as the others: whether the client notices and goes around it. */
export const slowBackend: Part = {
  name: "slow-backend",
  about: `three servers that answer after ${healthyMs} ms, and the same with one that takes ${slowMs} ms: the client's p99`,
  async run(conditions: Conditions): Promise<Outcome> {
    const healthy = { name: "all healthy", measure: () => measure([healthyMs, healthyMs, healthyMs], conditions) };
    const slow = { name: "one 20 × slower", measure: () => measure([healthyMs, healthyMs, slowMs], conditions) };
    const samples = await interleave([healthy, slow], {
      rounds: conditions.rounds,
      warmUps: 0,
      signal: conditions.signal,
    });
    const of = (name: string, key: "p50" | "p99" | "goodPerSecond") =>
      samplesOf(samples, name).map((sample) => sample[key]);
    const ratio = pairedRatio(of(slow.name, "p99"), of(healthy.name, "p99"));
    conditions.show({
      title: `Three servers, ${perSecond} calls a second`,
      columns: ["", "calls/s", "p50", "p99", "failed"],
      rows: [healthy, slow].map(({ name }) => [
        name,
        formatNumber(median(of(name, "goodPerSecond"))),
        `${formatNumber(median(of(name, "p50")))} ms`,
        `${formatNumber(median(of(name, "p99")))} ms`,
        String(samplesOf(samples, name).reduce((sum, { faults }) => sum + Object.keys(faults).length, 0)),
      ]),
    });
    return {
      targets: [atMost("one of three backends 20 × slower: client p99 ÷ healthy p99", ratio, 2)],
      results: Object.fromEntries(samples),
    };
  },
};

async function measure(delays: readonly number[], conditions: Conditions): Promise<OfferResult> {
  await using stack = new AsyncDisposableStack();
  const addresses: string[] = [];
  for (const ms of delays) {
    const server = stack.use(
      await startServer({ kind: "kinora", around: "bare", work: { kind: "wait", ms } }, conditions),
    );
    addresses.push(`127.0.0.1:${await server.ask<number>("port")}`);
  }
  const client = stack.use(
    await startClient({ kind: "kinora", target: `static:///${addresses.join(",")}`, payloadBytes: 0 }, conditions),
  );
  // What a client learns about its servers in its first seconds is not what is measured.
  return await client.ask<OfferResult>("offer", {
    method: "getUser",
    perSecond,
    settleMs: conditions.quick ? 200 : 5_000,
    milliseconds: conditions.quick ? 300 : 10_000,
    patienceMs: 10_000,
  } satisfies OfferRequest);
}
