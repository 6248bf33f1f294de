import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
} from "@opentelemetry/sdk-trace";
import type { TelemetryConfig } from "./telemetry-settings.ts";

/** The sampler that `OTEL_TRACES_SAMPLER` names. None of them looks at a span's attributes. */
export function createSampler(
  config: Pick<TelemetryConfig, "OTEL_TRACES_SAMPLER" | "OTEL_TRACES_SAMPLER_ARG">,
): Sampler {
  const [, parentBased, name] = /^(parentbased_)?(.*)$/.exec(config.OTEL_TRACES_SAMPLER) ?? [];
  const root =
    name === "always_off"
      ? new AlwaysOffSampler()
      : name === "traceidratio"
        ? shareSampler(config.OTEL_TRACES_SAMPLER_ARG)
        : new AlwaysOnSampler();
  return parentBased === undefined ? root : new ParentBasedSampler({ root });
}

/**
 * Samples a share of all traces, from 0 to 1: those whose random last 56 bits aren't below a threshold. By OpenTelemetry's specification of consistent sampling
 * (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/), so that services agree about a trace. The SDK's own takes several times as long.
 */
function shareSampler(share: number): Sampler {
  // So small a share is none: the threshold would have a digit more.
  if (1 - share === 1) {
    return new AlwaysOffSampler();
  }
  const threshold = BigInt((1 - share) * 2 ** 56)
    .toString(16)
    .padStart(14, "0");
  const sampled = { decision: SamplingDecision.RECORD_AND_SAMPLED };
  const dropped = { decision: SamplingDecision.NOT_RECORD };
  return {
    shouldSample: (_context, traceId) => (traceId.slice(18) >= threshold ? sampled : dropped),
    toString: () => `share of ${share}`,
  };
}
