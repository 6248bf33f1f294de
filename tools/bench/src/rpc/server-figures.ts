import type { Samples } from "../harness/rounds.ts";
import { median, pairedRatio, spread } from "../harness/statistics.ts";
import { formatNumber, type Table } from "../harness/table.ts";
import type { ServerSample } from "./load/server-load.ts";

/** From this share of a core on, its server's core is what bounds the calls per second. */
const saturated = 0.85;

/** One server's figures: medians over the rounds. Durations in milliseconds. */
export type ServerFigures = {
  perSecond: number;
  /** How far the rounds lie apart, of calls per second. */
  spread: number;
  cpuMicrosPerCall: number;
  utilisation: number;
  p50: number;
  p99: number;
  rssBytes: number;
};

/** Medians of the samples. */
export function serverFigures(samples: readonly ServerSample[]): ServerFigures {
  const of = (key: keyof ServerSample) => median(samples.map((sample) => sample[key]));
  return {
    perSecond: of("perSecond"),
    spread: spread(samples.map(({ perSecond }) => perSecond)),
    cpuMicrosPerCall: of("cpuMicrosPerCall"),
    utilisation: of("utilisation"),
    p50: of("p50"),
    p99: of("p99"),
    rssBytes: of("rssBytes"),
  };
}

/**
 * How many times the other server's throughput ours has, round by round: calls per second where both kept their core busy, otherwise what CPU per call
 * makes of it (a core that waits for the load says nothing about the server).
 */
export function throughputRatio(ours: readonly ServerSample[], theirs: readonly ServerSample[]): number {
  const both = [serverFigures(ours), serverFigures(theirs)];
  return both.every(({ utilisation }) => utilisation >= saturated)
    ? pairedRatio(
        ours.map(({ perSecond }) => perSecond),
        theirs.map(({ perSecond }) => perSecond),
      )
    : cpuRatio(theirs, ours);
}

/** How many times the other server's CPU per call ours takes, round by round. */
export function cpuRatio(ours: readonly ServerSample[], theirs: readonly ServerSample[]): number {
  return pairedRatio(
    ours.map(({ cpuMicrosPerCall }) => cpuMicrosPerCall),
    theirs.map(({ cpuMicrosPerCall }) => cpuMicrosPerCall),
  );
}

/** The figures of each, by name, for the report. */
export function namedFigures<Sample, Figures>(
  samples: Samples<Sample>,
  figures: (of: readonly Sample[]) => Figures,
): Record<string, Figures> {
  return Object.fromEntries([...samples].map(([name, of]) => [name, figures(of)]));
}

/** Samples that must be there. */
export function samplesOf<Sample>(samples: Samples<Sample>, name: string): readonly Sample[] {
  const found = samples.get(name);
  if (found === undefined) {
    throw new Error(`${name} was not measured`);
  }
  return found;
}

/** A table of servers, with each one's throughput as a multiple of the one named `base`. */
export function serverTable(title: string, samples: Samples<ServerSample>, base: string): Table {
  const reference = samplesOf(samples, base);
  return {
    title,
    columns: ["", "calls/s", "spread", `× ${base}`, "CPU/call", "by CPU", "core", "p50", "p99", "memory"],
    rows: [...samples].map(([name, of]) => {
      const figures = serverFigures(of);
      return [
        name,
        formatNumber(figures.perSecond),
        `${Math.round(figures.spread * 100)} %`,
        formatNumber(throughputRatio(of, reference)),
        `${formatNumber(figures.cpuMicrosPerCall)} µs`,
        formatNumber(cpuRatio(reference, of)),
        `${Math.round(figures.utilisation * 100)} %`,
        `${formatNumber(figures.p50)} ms`,
        `${formatNumber(figures.p99)} ms`,
        `${Math.round(figures.rssBytes / 2 ** 20)} MiB`,
      ];
    }),
  };
}
