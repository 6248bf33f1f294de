import type { Rational } from "../types.ts";

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

/** Ticks of the stream per unit of the source's times. */
export function ticksPerUnit(timeBase: Rational): number {
  return (timeBase.num * timescaleFor(timeBase)) / timeBase.den;
}

/**
 * Places frames on the stream's timeline, in the order of presentation: each at its own time, but always after the one before. Ticks are units of the timescale; the source's time
 * `startPts` is 0.
 */
export function createFrameClock(options: {
  /** Unit of the source's times. */
  timeBase: Rational;
  /** The source's time that becomes 0, in its units. */
  startPts: number;
  frameRate: Rational;
}) {
  const { timeBase, startPts, frameRate } = options;
  const perUnit = ticksPerUnit(timeBase);
  const nominal = Math.max(1, Math.round((frameRate.den * timescaleFor(timeBase)) / frameRate.num));
  let last: number | undefined;
  let lastLength = nominal;
  return {
    /** Ticks of the next frame; without a time of its own, one frame's length after the one before. `duration` is in the source's units, 0 if unknown. */
    place(time: number | undefined, duration: number): number {
      const ticks = time === undefined ? (last ?? -nominal) + nominal : Math.round((time - startPts) * perUnit);
      last = last === undefined ? Math.max(0, ticks) : Math.max(last + 1, ticks);
      lastLength = duration > 0 ? Math.max(1, Math.round(duration * perUnit)) : nominal;
      return last;
    },
    /** Where the last frame ends. */
    end: (): number => (last === undefined ? 0 : last + lastLength),
  };
}
