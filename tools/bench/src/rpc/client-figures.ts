import type { Samples } from "../harness/rounds.ts";
import { median, pairedRatio, spread } from "../harness/statistics.ts";
import { formatNumber, type Table } from "../harness/table.ts";
import type { ClientSample } from "./compare-clients.ts";
import { samplesOf } from "./server-figures.ts";

/** One client's figures: medians over the rounds. `spread` is that of the CPU per call. */
export type ClientFigures = ClientSample & { spread: number };

/** Medians of the samples. */
export function clientFigures(samples: readonly ClientSample[]): ClientFigures {
  const of = (key: keyof ClientSample) => median(samples.map((sample) => sample[key]));
  return {
    perSecond: of("perSecond"),
    cpuMicrosPerCall: of("cpuMicrosPerCall"),
    serverCpuMicrosPerCall: of("serverCpuMicrosPerCall"),
    p50: of("p50"),
    p99: of("p99"),
    rssBytes: of("rssBytes"),
    spread: spread(samples.map(({ cpuMicrosPerCall }) => cpuMicrosPerCall)),
  };
}

/** How many times the other client's CPU per call ours takes, round by round. */
export function clientCpuRatio(samples: Samples<ClientSample>, ours: string, theirs: string): number {
  const cpu = (name: string) => samplesOf(samples, name).map(({ cpuMicrosPerCall }) => cpuMicrosPerCall);
  return pairedRatio(cpu(ours), cpu(theirs));
}

/** A table of clients, with each one's CPU per call as a multiple of the one named `base`. */
export function clientTable(title: string, samples: Samples<ClientSample>, base: string): Table {
  return {
    title,
    columns: ["", "CPU/call", "spread", `× ${base}`, "calls/s", "p50", "p99", "memory"],
    rows: [...samples].map(([name, of]) => {
      const figures = clientFigures(of);
      return [
        name,
        `${formatNumber(figures.cpuMicrosPerCall)} µs`,
        `${Math.round(figures.spread * 100)} %`,
        formatNumber(clientCpuRatio(samples, name, base)),
        formatNumber(figures.perSecond),
        `${formatNumber(figures.p50)} ms`,
        `${formatNumber(figures.p99)} ms`,
        `${Math.round(figures.rssBytes / 2 ** 20)} MiB`,
      ];
    }),
  };
}
