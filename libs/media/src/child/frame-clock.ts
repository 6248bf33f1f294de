import type { Rational } from "../types.ts";

/**
 * Places frames on the stream's timeline, in the order of presentation: each at its own time, but always after the one before. Ticks are units of the timescale; the source's time
 * `startPts` is 0.
 */
export function createFrameClock(options: {
  /** Unit of the source's times. */
  timeBase: Rational;
  /** Ticks per second. */
  timescale: number;
  /** The source's time that becomes 0, in its units. */
  startPts: number;
  frameRate: Rational;
}) {
  const { timeBase, timescale, startPts, frameRate } = options;
  const perUnit = (timeBase.num * timescale) / timeBase.den;
  const nominal = Math.max(1, Math.round((frameRate.den * timescale) / frameRate.num));
  let last: number | undefined;
  let lastLength = nominal;
  const ticksAt = (time: number) => Math.round((time - startPts) * perUnit);
  return {
    /** Ticks of one of the source's times. */
    ticksAt,
    /** Ticks of the next frame; without a time of its own, one frame's length after the one before. `duration` is in the source's units, 0 if unknown. */
    place(time: number | undefined, duration: number): number {
      const ticks = time === undefined ? (last ?? -nominal) + nominal : ticksAt(time);
      last = last === undefined ? Math.max(0, ticks) : Math.max(last + 1, ticks);
      lastLength = duration > 0 ? Math.max(1, Math.round(duration * perUnit)) : nominal;
      return last;
    },
    /** Where the last frame ends. */
    end: (): number => (last === undefined ? 0 : last + lastLength),
  };
}
