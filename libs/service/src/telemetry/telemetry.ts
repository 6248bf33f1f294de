import type { CallTelemetry, Logger } from "@kinora/rpc";
import type { TelemetryConfig } from "./telemetry-settings.ts";

/** What reports to a collector. */
export type Telemetry = {
  /** For servers and transports; undefined while nothing is reported. */
  calls: CallTelemetry | undefined;
  /** Sends what is left, for half a second at most. */
  close(): Promise<void>;
};

/** Where traces and metrics go, by the environment; undefined for nowhere. */
export function telemetryEndpoints(config: TelemetryConfig): {
  traces: string | undefined;
  metrics: string | undefined;
} {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SDK_DISABLED } = config;
  const endpoint = (signal: "traces" | "metrics", own: string | undefined, exporter: "otlp" | "none") =>
    exporter === "none" || OTEL_SDK_DISABLED === "true"
      ? undefined
      : (own ?? (collector && `${collector}/v1/${signal}`));
  return {
    traces: endpoint("traces", config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, config.OTEL_TRACES_EXPORTER),
    metrics: endpoint("metrics", config.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, config.OTEL_METRICS_EXPORTER),
  };
}

/**
 * Starts reporting traces and metrics to the OTLP collector that the environment names. Without one, nothing of OpenTelemetry is even loaded. `name` is the
 * service's, unless the environment says another. Once in a process, before the servers and transports that are to report.
 */
export async function startTelemetry(config: TelemetryConfig, name: string, logger: Logger): Promise<Telemetry> {
  const { traces, metrics } = telemetryEndpoints(config);
  if (traces === undefined && metrics === undefined) {
    return { calls: undefined, close: async () => {} };
  }
  const { startSdk } = await import("./telemetry-sdk.ts");
  return startSdk({ config, name, logger, traces, metrics });
}
