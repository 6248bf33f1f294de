import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@kinora/rpc";
import { createCallTelemetry, createContextManager, randomHex } from "@kinora/rpc/telemetry";
import { context, metrics as metricsApi, propagation, trace } from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { createCallHistograms } from "./call-histograms.ts";
import { watchCollector } from "./collector-watch.ts";
import { reportProcess } from "./process-metrics.ts";
import { createSampler } from "./sampler.ts";
import type { Telemetry } from "./telemetry.ts";
import type { TelemetryConfig } from "./telemetry-settings.ts";

/** What the SDK is set up by. `traces` and `metrics` are the addresses to send them to, undefined for nowhere. */
export type SdkOptions = {
  config: TelemetryConfig;
  name: string;
  logger: Logger;
  traces: string | undefined;
  metrics: string | undefined;
};

/** Milliseconds that sending the last spans and metrics may take: part of the 5 s that a process has to end. */
const flushMs = 500;

/** Sets up OpenTelemetry's SDK and registers it, so that libraries which use its API report as well. */
export function startSdk({ config, name, logger, traces, metrics }: SdkOptions): Telemetry {
  const resource = describeProcess(config, name);
  const exporterOptions = (url: string) => ({
    url,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS,
    timeoutMillis: config.OTEL_EXPORTER_OTLP_TIMEOUT,
  });
  const spans = traces === undefined ? undefined : startTracing(traces);
  const histograms = createCallHistograms();
  const meters = metrics === undefined ? undefined : startMetering(metrics);
  const stopProcessMetrics = meters === undefined ? () => {} : reportProcess(meters);

  function startTracing(url: string): TracerProvider {
    const exporter = watchCollector(new OTLPTraceExporter(exporterOptions(url)), url, logger);
    const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: config.OTEL_BSP_SCHEDULE_DELAY });
    const provider = new TracerProvider({
      resource,
      sampler: createSampler(config),
      // The SDK's own takes ten times as long.
      idGenerator: { generateTraceId: () => randomHex(16), generateSpanId: () => randomHex(8) },
      spanProcessors: [processor],
    });
    trace.setGlobalTracerProvider(provider);
    context.setGlobalContextManager(createContextManager());
    propagation.setGlobalPropagator(
      new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
    );
    return provider;
  }

  function startMetering(url: string): MeterProvider {
    const exporter = watchCollector(new OTLPMetricExporter(exporterOptions(url)), url, logger);
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: config.OTEL_METRIC_EXPORT_INTERVAL,
      metricProducers: [histograms.producer],
    });
    const provider = new MeterProvider({ resource, readers: [reader] });
    metricsApi.setGlobalMeterProvider(provider);
    return provider;
  }

  return {
    calls: createCallTelemetry({
      ...(meters === undefined ? {} : { durations: histograms.durations }),
      samplerReadsAttributes: false,
    }),
    async close() {
      const waiting = new AbortController();
      const flushed = Promise.allSettled([spans?.shutdown(), meters?.shutdown()]);
      await Promise.race([flushed, sleep(flushMs, undefined, { signal: waiting.signal }).catch(() => {})]);
      waiting.abort();
      stopProcessMetrics();
      trace.disable();
      metricsApi.disable();
      propagation.disable();
      context.disable();
    },
  };
}

/** Who reports. What the environment says goes before what we know. */
function describeProcess(config: TelemetryConfig, name: string): Resource {
  return defaultResource().merge(
    resourceFromAttributes({
      "service.namespace": "kinora",
      "service.name": name,
      "service.instance.id": randomUUID(),
      "host.name": hostname(),
      "process.pid": process.pid,
      "process.runtime.name": "nodejs",
      "process.runtime.version": process.versions.node,
      ...config.OTEL_RESOURCE_ATTRIBUTES,
      ...(config.OTEL_SERVICE_NAME === undefined ? {} : { "service.name": config.OTEL_SERVICE_NAME }),
    }),
  );
}
