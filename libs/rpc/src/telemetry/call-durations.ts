import { type Attributes, type Context, createNoopMeter, type MeterProvider } from "@opentelemetry/api";

/** The durations of calls with the same attributes. */
export type DurationSeries = { record(seconds: number, context: Context | undefined): void };

/** Where the durations of calls go; undefined stands for nowhere. `series` is asked once for each set of attributes. */
export type CallDurations = { series(side: "server" | "client", attributes: Attributes): DurationSeries };

/** The instruments `rpc.server.call.duration` and `rpc.client.call.duration`, as the semantic conventions want them. */
export const durationInstruments = {
  server: {
    name: "rpc.server.call.duration",
    description: "Measures the duration of an incoming Remote Procedure Call (RPC).",
    unit: "s",
  },
  client: {
    name: "rpc.client.call.duration",
    description: "Measures the duration of an outgoing Remote Procedure Call (RPC).",
    unit: "s",
  },
} as const;

/** The upper bounds of the histograms' buckets in seconds. */
export const durationBuckets: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** Durations as histograms of a meter provider; undefined where that is the API's own stand-in. */
export function meteredDurations(provider: MeterProvider, scope: string): CallDurations | undefined {
  const meter = provider.getMeter(scope);
  if (meter === createNoopMeter()) {
    return undefined;
  }
  const histogram = (side: "server" | "client") => {
    const { name, ...options } = durationInstruments[side];
    return meter.createHistogram(name, { ...options, advice: { explicitBucketBoundaries: [...durationBuckets] } });
  };
  const histograms = { server: histogram("server"), client: histogram("client") };
  return {
    series: (side, attributes) => ({
      record: (seconds, context) => histograms[side].record(seconds, attributes, context),
    }),
  };
}
