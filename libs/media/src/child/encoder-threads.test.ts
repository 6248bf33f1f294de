import fc from "fast-check";
import { expect, it } from "vitest";
import { encoderThreads } from "./encoder-threads.ts";

const [p1080, p720, p480, p360, p240] = [
  { width: 1920, height: 1080 },
  { width: 1280, height: 720 },
  { width: 854, height: 480 },
  { width: 640, height: 360 },
  { width: 426, height: 240 },
];

it.each([
  { of: [p720, p480, p360, p240], threads: 0, cores: 2, are: [3, 1, 1, 1] },
  { of: [p1080, p720, p480, p360, p240], threads: 0, cores: 2, are: [3, 1, 1, 1, 1] },
  { of: [p1080, p720, p480, p360, p240], threads: 0, cores: 16, are: [18, 8, 4, 2, 1] },
  // Alone, as many as x264 would take itself.
  { of: [p240], threads: 0, cores: 16, are: [24] },
  { of: [p240], threads: 0, cores: 1, are: [2] },
  // A slot's share, as the worker sets it.
  { of: [p720, p480, p360, p240], threads: 3, cores: 4, are: [3, 1, 1, 1] },
  { of: [p720, p480, p360, p240], threads: 1, cores: 64, are: [1, 1, 1, 1] },
  { of: [], threads: 0, cores: 2, are: [] },
])("$of.length renditions with $threads threads on $cores cores have $are", ({ of, threads, cores, are }) => {
  expect(encoderThreads(of, threads, cores)).toEqual(are);
});

it("gives every encoder one, none more than there are, and together enough for all", () => {
  const size = fc.record({ width: fc.integer({ min: 2, max: 8192 }), height: fc.integer({ min: 2, max: 8192 }) });
  const given = [fc.array(size, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 128 })] as const;
  fc.assert(
    fc.property(...given, (renditions, threads) => {
      const shares = encoderThreads(renditions, threads);
      expect(Math.min(...shares)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...shares)).toBeLessThanOrEqual(threads);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThanOrEqual(threads);
    }),
  );
});
