import type { Benchmark, Conditions, Outcome, Part } from "../harness/benchmark.ts";
import { startChild } from "../harness/child.ts";
import { quantile } from "../harness/statistics.ts";
import { formatNumber } from "../harness/table.ts";
import { atMost, type Target } from "../harness/target.ts";
import { cancel } from "./cancel.ts";
import type { Figures, Load } from "./workers-child.ts";

/** How large a fleet is simulated, and for how long. */
type Scale = { workers: number; taskSeconds: number; rampSeconds: number; measureSeconds: number };

/** One encoder process and its Postgres against many simulated workers, who call it as ours do. */
function fleetOf(name: string, full: Scale, must: { idle: number; p99: number } | undefined): Part {
  return {
    name,
    about: `${full.workers.toLocaleString("en")} simulated workers with tasks of ${full.taskSeconds} s on one encoder process`,
    async run(conditions: Conditions): Promise<Outcome> {
      const scale = conditions.quick ? { workers: 20, taskSeconds: 1, rampSeconds: 1, measureSeconds: 4 } : full;
      await using encoder = await startChild({
        module: new URL("./encoder-child.ts", import.meta.url).href,
        parameters: {},
      });
      const { url, objects } = await encoder.ask<{ url: string; objects: string }>("where");
      await using workers = await startChild({
        module: new URL("./workers-child.ts", import.meta.url).href,
        parameters: { url, objects } satisfies { url: string; objects: string },
      });
      // A fifth more than the fleet can do, so that work waits all the time.
      const tasks = Math.ceil(
        (1.2 * scale.workers * (scale.rampSeconds + scale.measureSeconds + scale.taskSeconds)) / scale.taskSeconds,
      );
      conditions.note(`${name}: queueing ${tasks.toLocaleString("en")} chunks …`);
      await workers.ask("prepare", { tasks, workers: scale.workers });
      conditions.note(`${name}: ${scale.workers.toLocaleString("en")} workers begin over ${scale.rampSeconds} s …`);
      const usage = async () => ({ encoder: await encoder.usage(), load: await workers.usage() });
      const before = await usage();
      const figures = await workers.ask<Figures>("run", scale satisfies Load);
      const after = await usage();
      conditions.signal.throwIfAborted();
      const used: Used = {
        cpuSeconds: (after.encoder.cpuMicros - before.encoder.cpuMicros) / 1e6,
        loadSeconds: (after.load.cpuMicros - before.load.cpuMicros) / 1e6,
        rssBytes: after.encoder.rssBytes,
      };
      return report(scale, figures, used, must, conditions);
    },
  };
}

/** What the encoder and the simulated workers used. */
type Used = { cpuSeconds: number; loadSeconds: number; rssBytes: number };

function report(
  scale: Scale,
  figures: Figures,
  { cpuSeconds, loadSeconds, rssBytes }: Used,
  must: { idle: number; p99: number } | undefined,
  conditions: Conditions,
): Outcome {
  const p99 = quantile(figures.leaseMs, 0.99);
  const idle = figures.leaseMs.reduce((most, ms) => Math.max(most, ms), 0) / 1000;
  const seconds = scale.rampSeconds + scale.measureSeconds;
  conditions.show({
    title: `${scale.workers.toLocaleString("en")} workers, tasks of ${scale.taskSeconds} s, ${scale.measureSeconds} s measured`,
    columns: [
      "",
      "leases/s",
      "p50 lease",
      "p99 lease",
      "longest idle",
      "heartbeats/s",
      "p99 heartbeat",
      "faults",
      "encoder CPU",
      "memory",
      "load CPU",
    ],
    rows: [
      [
        "one encoder",
        formatNumber(figures.leaseMs.length / scale.measureSeconds),
        `${formatNumber(quantile(figures.leaseMs, 0.5))} ms`,
        `${formatNumber(p99)} ms`,
        `${formatNumber(idle)} s`,
        formatNumber(figures.beatMs.length / scale.measureSeconds),
        `${formatNumber(quantile(figures.beatMs, 0.99))} ms`,
        formatNumber(figures.faults),
        `${formatNumber((cpuSeconds / seconds) * 100)} %`,
        `${formatNumber(rssBytes / 2 ** 20)} MiB`,
        `${formatNumber((loadSeconds / seconds) * 100)} %`,
      ],
    ],
  });
  if (figures.waitingAtEnd <= 0) throw new Error("The work ran out before the measurement ended.");
  const workers = `${scale.workers.toLocaleString("en")} workers`;
  const limits = must ?? { idle: 1, p99: 200 };
  const targets: Target[] = [
    atMost(`${workers}: longest wait of an idle worker while work waits, in seconds`, idle, limits.idle),
    atMost(`${workers}: p99 of a lease in milliseconds`, p99, limits.p99),
    atMost(`${workers}: calls that failed`, figures.faults, 0),
    atMost(`${workers}: chunks leased more than once`, figures.repeated, 0),
  ];
  const { leaseMs, beatMs, ...rest } = figures;
  // What is only wanted isn't promised.
  return {
    targets: must ? targets : [],
    results: { ...rest, leaseMs: leaseMs.slice(0, 20_000), beats: beatMs.length, p99, idle, cpuSeconds, loadSeconds },
  };
}

/** `npm run bench -- fleet`. */
export const fleet: Benchmark = {
  name: "fleet",
  about: "one encoder process with a fleet of simulated workers, and a real one that is told to stop",
  parts: [
    fleetOf(
      "workers-1000",
      { workers: 1_000, taskSeconds: 10, rampSeconds: 10, measureSeconds: 40 },
      { idle: 1, p99: 200 },
    ),
    fleetOf("workers-5000", { workers: 5_000, taskSeconds: 10, rampSeconds: 20, measureSeconds: 30 }, undefined),
    cancel,
  ],
};
