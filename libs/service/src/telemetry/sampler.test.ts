import { ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { SamplingDecision } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
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

const samples = (share: number, id: string) =>
  createSampler({ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: share }).shouldSample(
    ROOT_CONTEXT,
    id,
    "a call",
    SpanKind.SERVER,
    {},
    [],
  ).decision === SamplingDecision.RECORD_AND_SAMPLED;

it.each([0, 0.001, 0.01, 0.25, 0.5, 0.999, 1])("traceidratio takes a share of %d", (share) => {
  const spread = Array.from({ length: 1000 }, (_, i) => (BigInt(i) * 2n ** 56n) / 1000n);
  const ids = spread.map((bits) => `0af7651916cd43dd84${bits.toString(16).padStart(14, "0")}`);
  expect(ids.filter((id) => samples(share, id)).length).toBeCloseTo(share * 1000, -0.5);
});

it("traceidratio takes of a larger share what it takes of a smaller one", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const id = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((bits) => bits.toString(16).padStart(32, "0"));
  fc.assert(
    fc.property(share, share, id, (a, b, id) => {
      expect(samples(Math.min(a, b), id) && !samples(Math.max(a, b), id)).toBe(false);
    }),
  );
});
