/**
 * What a limiter knows of one method's calls: how long they take while nothing waits. Times are compared as geometric means, so that a few calls
 * that take very long (which is normal) don't look like a queue.
 */
export type MethodLatency = {
  /** Mean logarithm of milliseconds without waiting; NaN until known. */
  base: number;
  /** Of this window: the sum of the logarithms of the calls' milliseconds. */
  logs: number;
  /** Of this window: the number of calls. */
  calls: number;
};

/** Of a method that was never called. */
export function createMethodLatency(): MethodLatency {
  return { base: Number.NaN, logs: 0, calls: 0 };
}
