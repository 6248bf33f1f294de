import { quantile } from "../harness/statistics.ts";

/** So many at a time, for so long; what begins in the first tenth doesn't count. */
export type Closed = { inFlight: number; milliseconds: number };

export type ClosedResult = { perSecond: number; p99Ms: number };

/** Does one thing over and over, `inFlight` at a time. */
export async function closedLoop(
  { inFlight, milliseconds }: Closed,
  act: () => Promise<unknown>,
): Promise<ClosedResult> {
  const begun = performance.now();
  const from = begun + milliseconds / 10;
  const until = begun + milliseconds;
  const durations: number[] = [];
  async function lane(): Promise<void> {
    for (let start = performance.now(); start < until; start = performance.now()) {
      await act();
      const end = performance.now();
      if (start >= from && end < until) durations.push(end - start);
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { perSecond: durations.length / ((until - from) / 1000), p99Ms: quantile(durations, 0.99) };
}
