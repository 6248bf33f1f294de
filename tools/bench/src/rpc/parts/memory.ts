import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { median } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atLeast, atMost, type Target } from "../../harness/target.ts";
import { runChecked, startClient } from "../compare-clients.ts";
import { startServer } from "../compare-servers.ts";
import { startProduction, usualShare } from "../production.ts";

const calls = 1_000_000;
/** Calls before the memory counts: code gets compiled and heaps get their size. */
const warmUp = 200_000;
const step = 20_000;
const inFlight = 64;

/** A million calls from our client to our server with everything on: whether either grows. */
export const memory: Part = {
  name: "memory",
  about: "resident memory of our server (everything on) and our client over 1,000,000 calls after a warm-up",
  async run(conditions: Conditions): Promise<Outcome> {
    const scale = conditions.quick ? 1 / 200 : 1;
    await using production = await startProduction();
    const { authorization, around } = production;
    await using server = await startServer({ kind: "kinora", around: around(usualShare) }, conditions);
    const target = `http://127.0.0.1:${await server.ask<number>("port")}`;
    const token = authorization.replace("Bearer ", "");
    await using client = await startClient({ kind: "kinora", target, payloadBytes: 0, token }, conditions);
    const run = async () => {
      conditions.signal.throwIfAborted();
      await runChecked(client, { method: "getUser", inFlight, calls: step * scale });
      return { server: (await server.usage()).rssBytes, client: (await client.usage()).rssBytes };
    };
    for (let made = 0; made < warmUp; made += step) {
      await run();
    }
    const samples = [];
    for (let made = 0; made < calls; made += step) {
      samples.push(await run());
    }
    const rows: string[][] = [];
    const targets: Target[] = [];
    for (const side of ["server", "client"] as const) {
      const rss = samples.map((sample) => sample[side]);
      // A tenth of the calls each, because single readings depend on when garbage was last collected.
      const tenth = Math.ceil(rss.length / 10);
      const [first, last] = [median(rss.slice(0, tenth)), median(rss.slice(-tenth))];
      rows.push([side, mebibytes(first), mebibytes(last), mebibytes(Math.max(...rss)), formatNumber(last / first)]);
      targets.push(
        atMost(`1,000,000 calls, ${side}: resident memory at the end ÷ after warm-up`, last / first, 1.05),
        atLeast(`1,000,000 calls, ${side}: the same, not below`, last / first, 0.95),
      );
    }
    conditions.show({
      title: `Resident memory over ${(calls * scale).toLocaleString("en")} calls`,
      columns: ["", "after warm-up", "at the end", "most", "×"],
      rows,
    });
    return { targets, results: { samples } };
  },
};

function mebibytes(bytes: number): string {
  return `${formatNumber(bytes / 2 ** 20)} MiB`;
}
