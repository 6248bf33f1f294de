import { ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { SamplingDecision } from "@opentelemetry/sdk-trace";
import { expect, it } from "vitest";
import { createSampler } from "./sampler.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const caller = (traceFlags: number) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: "b7ad6b7169203331", traceFlags, isRemote: true });
const contexts = { none: ROOT_CONTEXT, recorded: caller(1), unrecorded: caller(0) };

it.each([
  ["always_on", 1, ["none", "recorded", "unrecorded"]],
  ["always_off", 1, []],
  ["traceidratio", 1, ["none", "recorded", "unrecorded"]],
  ["traceidratio", 0, []],
  ["parentbased_always_on", 1, ["none", "recorded"]],
  ["parentbased_always_off", 1, ["recorded"]],
  ["parentbased_traceidratio", 1, ["none", "recorded"]],
  ["parentbased_traceidratio", 0, ["recorded"]],
] as const)("%s of %d samples calls whose caller's trace is %j", (name, share, sampled) => {
  const sampler = createSampler({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: share });
  const taken = Object.entries(contexts).filter(
    ([, context]) =>
      sampler.shouldSample(context, traceId, "a call", SpanKind.SERVER, {}, []).decision ===
      SamplingDecision.RECORD_AND_SAMPLED,
  );
  expect(taken.map(([which]) => which)).toEqual(sampled);
});
