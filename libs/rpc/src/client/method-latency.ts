/**
 * Turns a call's milliseconds into a number that can be compared across methods: how many times as long it took as quick calls of its method do. So a
 * long poll of 30 s says as little against its endpoint as a look-up of 1 ms.
 */
export type MethodLatency = {
  /** Of a call that was answered: it counts towards what is usual. */
  relative(ms: number): number;
  /** Of a call that was not. */
  compare(ms: number): number;
};

// What is tracked is about the 20th percentile, which a few slow endpoints hardly move: steps down are four times as large as steps up (stochastic approximation of a
// quantile, Robbins and Monro 1951).
const stepUp = 1.005;
const stepDown = 0.98;
// Below this, differences are the clock's.
const leastMs = 0.05;

export function createMethodLatency(): MethodLatency {
  let usualMs = 0;
  return {
    relative(ms) {
      const counted = Math.max(ms, leastMs);
      usualMs = usualMs === 0 ? counted : Math.max(leastMs, usualMs * (counted < usualMs ? stepDown : stepUp));
      return counted / usualMs;
    },
    compare: (ms) => (usualMs === 0 ? 1 : Math.max(ms, leastMs) / usualMs),
  };
}
