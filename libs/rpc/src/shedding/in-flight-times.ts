/** How long each number of calls was in flight during a window. */
export type InFlightTimes = {
  /** `inFlight` calls were in flight for `ms` milliseconds. */
  add(inFlight: number, ms: number): void;
  /** The number that in-flight calls exceeded during all but `share` of the time. */
  low(share: number): number;
  /** The average number over time. */
  mean(): number;
  reset(): void;
};

// One bucket for each number up to 31, then 8 for each power of two: 12 % apart at most, up to 2^20.
const exact = 32;
const perOctave = 8;
const buckets = exact + 16 * perOctave;

/** An empty one. Adding allocates nothing. */
export function createInFlightTimes(): InFlightTimes {
  const times = new Float64Array(buckets);
  let total = 0;
  let weighted = 0;
  return {
    add(inFlight, ms) {
      const bucket = bucketOf(inFlight);
      times[bucket] = (times[bucket] ?? 0) + ms;
      total += ms;
      weighted += inFlight * ms;
    },
    low(share) {
      let left = total * share;
      for (let bucket = 0; bucket < buckets; bucket++) {
        left -= times[bucket] ?? 0;
        if (left < 0) {
          return smallestOf(bucket);
        }
      }
      return 0;
    },
    mean: () => (total === 0 ? 0 : weighted / total),
    reset() {
      times.fill(0);
      total = 0;
      weighted = 0;
    },
  };
}

function bucketOf(inFlight: number): number {
  if (inFlight < exact) {
    return inFlight;
  }
  const octave = 31 - Math.clz32(inFlight);
  // The three bits below the highest one.
  const eighth = (inFlight >> (octave - 3)) - perOctave;
  return Math.min(buckets - 1, exact + (octave - 5) * perOctave + eighth);
}

function smallestOf(bucket: number): number {
  if (bucket < exact) {
    return bucket;
  }
  const octave = 5 + Math.floor((bucket - exact) / perOctave);
  return (perOctave + ((bucket - exact) % perOctave)) << (octave - 3);
}
