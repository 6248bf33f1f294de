import { setTimeout as sleepReal } from "node:timers/promises";
import { quantileOfSorted } from "../../harness/statistics.ts";
import type { BenchClient } from "./bench-client.ts";
import type { OfferRequest, OfferResult } from "./client-spec.ts";

/** Calls under way at a time at most: what a server leaves unanswered must not fill this process's memory. */
const mostInFlight = 50_000;
const tickMs = 1;

/** Milliseconds that never go back, and waiting for some of them. */
export type Clock = { now(): number; sleep(ms: number): Promise<unknown> };

const realClock: Clock = { now: () => performance.now(), sleep: (ms) => sleepReal(ms) };

/**
 * Begins `perSecond` calls a second, whether or not earlier ones are answered: load as many independent clients make it. What happens in the first
 * `settleMs` and after the last call has begun doesn't count, and an answer after `patienceMs` is none: its caller has left. Durations are from when a call
 * is really sent.
 */
export async function offerCalls(
  client: BenchClient,
  request: OfferRequest,
  { now, sleep }: Clock = realClock,
): Promise<OfferResult> {
  const { perSecond, settleMs, milliseconds, patienceMs, method } = request;
  const durations: number[] = [];
  const faults: Record<string, number> = {};
  const start = now();
  const from = start + settleMs;
  const until = from + milliseconds;
  const underWay = new Set<Promise<void>>();
  let begun = 0;
  let offered = 0;

  const counts = (time: number) => time >= from && time < until;
  async function call(): Promise<void> {
    const sent = now();
    offered += counts(sent) ? 1 : 0;
    const fault = await client.call(method).then(() => undefined, messageOf);
    const ended = now();
    const outcome = fault ?? (ended - sent > patienceMs ? "too late" : undefined);
    if (outcome !== undefined) {
      faults[outcome] = (faults[outcome] ?? 0) + (counts(ended) ? 1 : 0);
    } else if (counts(ended)) {
      durations.push(ended - sent);
    }
  }

  for (let time = start; time < until; time = now()) {
    const due = Math.floor(((time - start) / 1000) * perSecond);
    for (; begun < due && underWay.size < mostInFlight; begun++) {
      const made = call().finally(() => underWay.delete(made));
      underWay.add(made);
    }
    await sleep(tickMs);
  }
  const seconds = (now() - from) / 1000;
  await Promise.race([Promise.all(underWay), sleep(patienceMs)]);
  const sorted = Float64Array.from(durations).sort();
  return {
    offeredPerSecond: offered / seconds,
    goodPerSecond: durations.length / seconds,
    faults,
    p50: quantileOfSorted(sorted, 0.5),
    p99: quantileOfSorted(sorted, 0.99),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
