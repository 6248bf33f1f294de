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

/** A frame's place on the stream's timeline. */
export type FrameTime = {
  /** Presentation time in units of the timescale; the first frame's is 0. */
  ticks: number;
  /** Whether a segment, and so a closed group of pictures, starts with it. */
  startsSegment: boolean;
};

/**
 * Places frames on the stream's timeline, in the order of presentation: each at its own time, but always after the one before. A segment starts with the first frame
 * at or past each multiple of its length, in every rendition.
 */
export function createFrameClock(options: {
  /** Unit of the source's times. */
  timeBase: Rational;
  timescale: number;
  /** The source's time that becomes 0. */
  startSeconds: number;
  segmentSeconds: number;
  frameRate: Rational;
}) {
  const { timescale, timeBase, frameRate } = options;
  const perUnit = (timeBase.num * timescale) / timeBase.den;
  const startUnits = Math.round((options.startSeconds * timeBase.den) / timeBase.num);
  const nominal = Math.max(1, Math.round((frameRate.den * timescale) / frameRate.num));
  const segment = options.segmentSeconds * timescale;
  let last: number | undefined;
  let lastLength = nominal;
  let segmentIndex = -1;
  return {
    /** Places the next frame; without a time of its own, one frame's length after the one before. `duration` is in the source's units, 0 if unknown. */
    place(time: number | undefined, duration: number): FrameTime {
      const ticks = time === undefined ? (last ?? -nominal) + nominal : Math.round((time - startUnits) * perUnit);
      const placed = last === undefined ? Math.max(0, ticks) : Math.max(last + 1, ticks);
      last = placed;
      lastLength = duration > 0 ? Math.max(1, Math.round(duration * perUnit)) : nominal;
      const index = Math.floor(placed / segment);
      const startsSegment = index > segmentIndex;
      segmentIndex = Math.max(index, segmentIndex);
      return { ticks: placed, startsSegment };
    },
    /** Where the last frame ends. */
    end: (): number => (last === undefined ? 0 : last + lastLength),
  };
}
