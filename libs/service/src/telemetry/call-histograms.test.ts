import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { type CallDurations, createCallTelemetry } from "@kinora/rpc/telemetry";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createCallHistograms } from "./call-histograms.ts";

const { echo, count } = EchoService.method;

/** Reports calls and gives what is exported of them then. */
async function exported(calls: Call[], own?: { durations: CallDurations; producer: MetricProducer }) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 3_600_000,
    metricProducers: own === undefined ? [] : [own.producer],
  });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const telemetry = createCallTelemetry(own === undefined ? { meterProvider } : { durations: own.durations });
  for (const { side, method, code, ms } of calls) {
    const call =
      side === "server"
        ? telemetry.serverCall(method, "grpc", { header: () => undefined })
        : telemetry.clientCall(method, "grpc", undefined);
    call.end(code === 0 ? "ok" : code, undefined, ms);
  }
  await meterProvider.forceFlush();
  const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.map(({ descriptor: { name, description, unit }, dataPoints, ...metric }) => ({
        scope: scope.name,
        descriptor: { name, description, unit },
        dataPointType: metric.dataPointType,
        aggregationTemporality: metric.aggregationTemporality,
        points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
      })),
    ),
  );
  await meterProvider.shutdown();
  return metrics;
}

type Call = { side: "server" | "client"; method: typeof echo | typeof count; code: number; ms: number };

it("counts as the SDK's own histograms do", async () => {
  const call = fc.record({
    side: fc.constantFrom("server" as const, "client" as const),
    method: fc.constantFrom(echo, count),
    code: fc.nat(16),
    // The buckets' boundaries among them.
    ms: fc.oneof(fc.constantFrom(0, 5, 10, 25, 250, 10_000, 10_001), fc.nat(20_000)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 50 }), async (calls) => {
      const ours = await exported(calls, createCallHistograms());
      const theirs = await exported(calls);
      const byName = (metrics: typeof ours) => new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
      expect(byName(ours)).toEqual(byName(theirs));
    }),
    { numRuns: 30 },
  );
});

it("says since when and until when it has counted", async () => {
  let now = 1_000;
  const { durations, producer } = createCallHistograms(() => now);
  durations.series("server", {}).record(0.001, undefined);
  now = 61_500;
  const { resourceMetrics } = await producer.collect();
  expect(resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints).toMatchObject([
    { startTime: [1, 0], endTime: [61, 500_000_000] },
  ]);
});
