import type { Rational } from "./types.ts";

/**
 * Units per second for the stream's times: those of the source where they are fit for it, so that every time is kept exactly. Units above a
 * millisecond are divided (frames of an AVI file are counted in 1/25 s), absurdly fine ones replaced.
 */
export function timescaleFor(timeBase: Rational): number {
  const { num, den } = timeBase;
  // 1001/24000 is kept exactly by 1/24000.
  if (num <= 0 || den <= 0 || den > 10_000_000) return 90_000;
  return den * Math.max(1, Math.ceil(1000 / den));
}
