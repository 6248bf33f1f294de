import { setTimeout as sleep } from "node:timers/promises";
import { quantileOfSorted } from "../../harness/statistics.ts";
import type { BenchClient } from "./bench-client.ts";
import type { OfferRequest, OfferResult } from "./client-spec.ts";

/** Calls under way at a time at most: what a server leaves unanswered must not fill this process's memory. */
const mostInFlight = 50_000;
const tickMs = 1;

/**
 * Begins `perSecond` calls a second, whether or not earlier ones are answered: load as many independent clients make it. What happens in the first
 * `settleMs` and after the last call has begun doesn't count, and an answer after `patienceMs` is none: its caller has left. Durations are from when a call
 * is really sent.
 */
export async function offerCalls(client: BenchClient, request: OfferRequest): Promise<OfferResult> {
  const { perSecond, settleMs, milliseconds, patienceMs, method } = request;
  const durations: number[] = [];
  const faults: Record<string, number> = {};
  const start = performance.now();
  const from = start + settleMs;
  const until = from + milliseconds;
  const underWay = new Set<Promise<void>>();
  let begun = 0;
  let offered = 0;

  const counts = (now: number) => now >= from && now < until;
  async function call(): Promise<void> {
    const sent = performance.now();
    offered += counts(sent) ? 1 : 0;
    const fault = await client.call(method).then(() => undefined, messageOf);
    const now = performance.now();
    const outcome = fault ?? (now - sent > patienceMs ? "too late" : undefined);
    if (outcome !== undefined) {
      faults[outcome] = (faults[outcome] ?? 0) + (counts(now) ? 1 : 0);
    } else if (counts(now)) {
      durations.push(now - sent);
    }
  }

  for (let now = start; now < until; now = performance.now()) {
    const due = Math.floor(((now - start) / 1000) * perSecond);
    for (; begun < due && underWay.size < mostInFlight; begun++) {
      const made = call().finally(() => underWay.delete(made));
      underWay.add(made);
    }
    await sleep(tickMs);
  }
  const seconds = (performance.now() - from) / 1000;
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
