/** Measures how fast a count grows, over the last few seconds. */
export type Rate = {
  /** Notes the count at a time in milliseconds. A count below the one before starts over. */
  add(timeMs: number, count: number): void;
  /** Growth per second; 0 while unknown. */
  perSecond(): number;
};

/** Makes a rate over a window of `windowMs`. */
export function createRate(windowMs = 8_000): Rate {
  let samples: { timeMs: number; count: number }[] = [];
  return {
    add(timeMs, count) {
      const last = samples.at(-1);
      if (last && count < last.count) samples = [];
      samples.push({ timeMs, count });
      // One sample from before the window stays, so that a slow count has a rate as well.
      while (samples.length > 2 && (samples[1]?.timeMs ?? 0) < timeMs - windowMs) samples.shift();
    },
    perSecond() {
      const [first, last] = [samples[0], samples.at(-1)];
      if (!first || !last || last.timeMs - first.timeMs < 200) return 0;
      return ((last.count - first.count) * 1000) / (last.timeMs - first.timeMs);
    },
  };
}
