import { create } from "@bufbuild/protobuf";
import { EncodePlanSchema } from "@kinora/proto-encoder";
import { expect, it } from "vitest";
import { memoryLimitBytes, outputLimitBytes } from "./limits.ts";

const gibibyte = 2 ** 30;

it("allows a stream twice its highest bit rates", () => {
  const plan = create(EncodePlanSchema, {
    video: {
      frameRate: { num: 24, den: 1 },
      frameCount: 2400,
      renditions: [{ maxBitrate: 4_000_000 }, { maxBitrate: 800_000 }],
    },
    audio: { bitrate: 128_000 },
  });
  expect(outputLimitBytes(plan)).toBe(2 * 100 * (4_928_000 / 8) + 64 * 2 ** 20);
});

it("has a limit for a plan that tells no length", () => {
  expect(outputLimitBytes(create(EncodePlanSchema, {}))).toBe(64 * gibibyte);
});

it.each([
  [16 * gibibyte, 6 * gibibyte],
  [8 * gibibyte, 3 * gibibyte],
  [2 * gibibyte, 1 * gibibyte],
])("gives a task of a machine with %i bytes half of what all may have", (available, limit) => {
  expect(memoryLimitBytes(available)).toBe(limit);
});
