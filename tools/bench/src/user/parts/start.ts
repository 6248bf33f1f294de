import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { median, pairedRatio } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atMost } from "../../harness/target.ts";
import { install } from "../installation.ts";

/** Milliseconds after which a started service counts as at rest. */
const restMs = 3_000;

/** What the service takes to be there. */
export const start: Part = {
  name: "start",
  about: "from start to ready beside a running database, against an empty Node process; resident memory then",
  async run(conditions: Conditions): Promise<Outcome> {
    await using installation = await install(conditions.signal);
    const samples: { emptyMs: number; readyMs: number; residentBytes: number }[] = [];
    for (let round = -1; round < conditions.rounds; round++) {
      conditions.signal.throwIfAborted();
      const emptyMs = await emptyProcess();
      await using service = await installation.start();
      await sleep(conditions.quick ? 100 : restMs);
      const residentBytes = await service.residentBytes();
      // The first start makes tables, keys and the owner's account.
      if (round >= 0) samples.push({ emptyMs, readyMs: service.readyMs, residentBytes });
    }
    const ready = samples.map(({ readyMs }) => readyMs);
    const empty = samples.map(({ emptyMs }) => emptyMs);
    const megabytes = median(samples.map(({ residentBytes }) => residentBytes)) / 1e6;
    conditions.show({
      title: "Start of the user service, bundled",
      columns: ["", "measured"],
      rows: [
        ["an empty Node process, ms", formatNumber(median(empty))],
        ["start to ready, ms", formatNumber(median(ready))],
        ["resident memory after 3 s, MB", formatNumber(megabytes)],
      ],
    });
    return {
      results: { samples },
      targets: [
        atMost("resident memory of a started user service, MB", megabytes, 120),
        atMost("start to ready ÷ an empty Node process", pairedRatio(ready, empty), 6),
      ],
    };
  },
};

async function emptyProcess(): Promise<number> {
  const begun = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - begun;
}
