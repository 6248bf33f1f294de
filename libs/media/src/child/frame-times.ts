import type { Rational } from "../types.ts";

/** What the times of a track's frames say; times in seconds. */
export type FrameTimesSummary = {
  count: number;
  first: number;
  /** Where the last frame ends. */
  end: number;
  frameRate: Rational;
  variable: boolean;
  /** Frames whose time had passed already when they came, farther back than any codec reorders. */
  late: number;
};

/** Frames that may be out of order: H.264 and HEVC hold at most 16 back. */
const reorderWindow = 32;

/**
 * Gathers the frames' times, in the order of packets or pictures. Memory stays bounded, however long the video.
 *
 * @param timeBase units of the times
 * @param statedRates rates that the file states; the measured one replaces them where they are wrong
 * @param onTime told each time, in the order of presentation
 */
export function createFrameTimes(
  timeBase: Rational,
  statedRates: Rational[],
  onTime: (time: number) => void = () => {},
) {
  const window: number[] = [];
  let count = 0;
  let first: number | undefined;
  let last: number | undefined;
  let shortest = Number.POSITIVE_INFINITY;
  let longest = 0;
  let lastDuration = 0;
  let late = 0;
  let highest = Number.NEGATIVE_INFINITY;

  const settle = (time: number) => {
    first ??= time;
    if (last !== undefined && time > last) {
      shortest = Math.min(shortest, time - last);
      longest = Math.max(longest, time - last);
    }
    if (last !== undefined && time < last) late++;
    last = Math.max(last ?? time, time);
    onTime(time);
  };

  return {
    /** A frame without a time counts, and nothing more. */
    add(time: number | undefined, duration: number): void {
      count++;
      if (time === undefined) return;
      if (time >= highest) {
        highest = time;
        lastDuration = duration;
      }
      const place = window.findLastIndex((other) => other <= time) + 1;
      window.splice(place, 0, time);
      if (window.length > reorderWindow) settle(window.shift() ?? time);
    },
    summary(): FrameTimesSummary {
      for (const time of window.splice(0)) settle(time);
      const toSeconds = (ticks: number) => (ticks * timeBase.num) / timeBase.den;
      const span = (last ?? 0) - (first ?? 0);
      const mean = count > 1 && span > 0 ? span / (count - 1) : 0;
      // Coarse units (milliseconds in Matroska) make even distances differ by one.
      const variable = mean > 0 && Math.max(longest - mean, mean - shortest) > Math.max(1.5, mean * 0.05);
      const frameRate = chooseRate(toSeconds(mean), toSeconds(1 / Math.max(1, count - 1)), variable, statedRates);
      const lastTicks =
        lastDuration > 0 ? lastDuration : (frameRate.den / frameRate.num) * (timeBase.den / timeBase.num);
      return {
        count,
        first: toSeconds(first ?? 0),
        end: toSeconds((last ?? 0) + lastTicks),
        frameRate,
        variable,
        late,
      };
    },
  };
}

/** A stated rate is exact (30000/1001) where a measured one is rounded, so it is taken if it agrees. */
function chooseRate(distance: number, error: number, variable: boolean, statedRates: Rational[]): Rational {
  const stated = statedRates.filter(({ num, den }) => num > 0 && den > 0).map(({ num, den }) => ({ num, den }));
  if (distance === 0) return stated[0] ?? { num: 25, den: 1 };
  const agreeing = stated.find((rate) => Math.abs(rate.den / rate.num - distance) <= error + distance * 1e-4);
  if (agreeing && !variable) return agreeing;
  return reduce(Math.round(1000 / distance), 1000);
}

function reduce(num: number, den: number): Rational {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  const by = divisor(num, den);
  return by === 0 || num === 0 ? { num: 1, den: 1 } : { num: num / by, den: den / by };
}
