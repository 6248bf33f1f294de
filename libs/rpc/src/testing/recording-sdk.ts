import { type Context, context, type TextMapPropagator } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

/** The durations of calls with the same attributes; `buckets` by their upper bounds, without the empty ones. */
export type RecordedDurations = {
  attributes: Record<string, unknown>;
  unit: string;
  count: number;
  sum: number | undefined;
  buckets: Record<string, number>;
};

/** An SDK of OpenTelemetry that keeps what it is told, for a test to look at; the options of `createCallTelemetry` are among its properties. */
export type RecordingSdk = AsyncDisposable & {
  tracerProvider: TracerProvider;
  meterProvider: MeterProvider;
  propagator: TextMapPropagator;
  /** The spans that have ended, in that order. */
  spans(): ReadableSpan[];
  recordedDurations(side: "server" | "client"): Promise<RecordedDurations[]>;
  /** Runs `action` in a context, with a context manager registered. */
  run<T>(context: Context | undefined, action: () => T): T;
};

/** Makes one; nothing of it is registered globally. */
export function recordingSdk(options: { sampler?: Sampler } = {}): RecordingSdk {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({
    ...options,
    spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
  });
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()];
  return {
    tracerProvider,
    meterProvider,
    propagator: new CompositePropagator({ propagators }),
    spans: () => spans.getFinishedSpans(),
    async recordedDurations(side) {
      await meterProvider.forceFlush();
      const all =
        metrics
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
      return all
        .filter(({ descriptor }) => descriptor.name === `rpc.${side}.call.duration`)
        .flatMap((metric) =>
          metric.dataPointType !== DataPointType.HISTOGRAM
            ? []
            : metric.dataPoints.map(({ attributes, value }) => ({
                attributes,
                unit: metric.descriptor.unit,
                count: value.count,
                sum: value.sum,
                buckets: Object.fromEntries(
                  value.buckets.counts
                    .map((count, index) => [value.buckets.boundaries[index] ?? "more", count] as const)
                    .filter(([, count]) => count > 0),
                ),
              })),
        );
    },
    run(where, action) {
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      return where === undefined ? action() : context.with(where, action);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()]);
    },
  };
}
