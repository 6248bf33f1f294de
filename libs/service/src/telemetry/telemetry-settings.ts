import type { ConfigOf, Setting } from "../config.ts";
import { integer, oneOf, optional, text, url } from "../config-settings.ts";

/** OpenTelemetry's own names: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export const telemetrySettings = {
  /** An OTLP collector; nothing is reported without one. */
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(url()),
  /** Another address for one of the two, to the end of its path. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(url()),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: optional(url()),
  OTEL_EXPORTER_OTLP_PROTOCOL: oneOf(["http/protobuf"], { default: "http/protobuf" }),
  OTEL_EXPORTER_OTLP_HEADERS: pairs({ secret: true }),
  /** Milliseconds. */
  OTEL_EXPORTER_OTLP_TIMEOUT: integer({ default: 10_000, min: 1, max: 60_000 }),
  OTEL_TRACES_EXPORTER: oneOf(["otlp", "none"], { default: "otlp" }),
  OTEL_METRICS_EXPORTER: oneOf(["otlp", "none"], { default: "otlp" }),
  OTEL_SDK_DISABLED: oneOf(["true", "false"], { default: "false" }),
  OTEL_SERVICE_NAME: optional(text({ maxLength: 255 })),
  OTEL_RESOURCE_ATTRIBUTES: pairs(),
  OTEL_TRACES_SAMPLER: oneOf(
    [
      "parentbased_always_on",
      "parentbased_always_off",
      "parentbased_traceidratio",
      "always_on",
      "always_off",
      "traceidratio",
    ],
    { default: "parentbased_always_on" },
  ),
  /** The share of traces, for the samplers of a ratio. */
  OTEL_TRACES_SAMPLER_ARG: share({ default: 1 }),
  /** Milliseconds between exports. */
  OTEL_BSP_SCHEDULE_DELAY: integer({ default: 5_000, min: 1, max: 600_000 }),
  OTEL_METRIC_EXPORT_INTERVAL: integer({ default: 60_000, min: 1, max: 3_600_000 }),
};

/** The settings' values. */
export type TelemetryConfig = ConfigOf<typeof telemetrySettings>;

/** `name=value,name=value` with percent-encoded values, as OpenTelemetry writes headers and resource attributes. */
export function pairs(options: { secret?: boolean } = {}): Setting<Readonly<Record<string, string>>> {
  return {
    expected: "name=value,name=value with percent-encoded values",
    fallback: { value: {} },
    ...(options.secret ? { secret: true } : {}),
    parse(given) {
      const entries: [string, string][] = [];
      for (const pair of given.split(",").filter((part) => part.trim() !== "")) {
        const at = pair.indexOf("=");
        const [name, value] = [pair.slice(0, Math.max(at, 0)).trim(), decode(pair.slice(at + 1).trim())];
        if (name === "" || value === undefined) {
          return undefined;
        }
        entries.push([name, value]);
      }
      return Object.fromEntries(entries);
    },
  };
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** A number from 0 to 1. */
function share(options: { default: number }): Setting<number> {
  return {
    expected: "a number from 0 to 1",
    fallback: { value: options.default },
    parse(given) {
      const value = /^\d*\.?\d+$/.test(given) ? Number(given) : Number.NaN;
      return value >= 0 && value <= 1 ? value : undefined;
    },
  };
}
