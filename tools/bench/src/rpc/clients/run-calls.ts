import { quantileOfSorted } from "../../harness/statistics.ts";
import type { BenchClient } from "./bench-client.ts";
import type { RunRequest, RunResult } from "./client-spec.ts";

/** At most so many durations are kept, so that a long run's memory is the client's own: the latest ones. */
const keptDurations = 100_000;

/** Keeps `inFlight` calls under way until so many calls are made, or so much time is over. */
export async function runCalls(client: BenchClient, request: RunRequest): Promise<RunResult> {
  const durations = new Float64Array(keptDurations);
  const faults: Record<string, number> = {};
  const until = "milliseconds" in request ? performance.now() + request.milliseconds : Number.POSITIVE_INFINITY;
  const most = "calls" in request ? request.calls : Number.POSITIVE_INFINITY;
  let begun = 0;
  let made = 0;
  let failed = 0;

  async function worker(): Promise<void> {
    while (begun < most && performance.now() < until) {
      begun++;
      const start = performance.now();
      try {
        await client.call(request.method);
      } catch (error) {
        failed++;
        const reason = error instanceof Error ? error.message : String(error);
        faults[reason] = (faults[reason] ?? 0) + 1;
      }
      durations[made++ % keptDurations] = performance.now() - start;
    }
  }

  const dataBefore = client.dataBytes?.() ?? 0;
  const usage = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: request.inFlight }, worker));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(usage);
  const sorted = durations.subarray(0, Math.min(made, keptDurations)).sort();
  return {
    calls: made,
    failed,
    faults,
    seconds,
    cpuMicros: user + system,
    p50: quantileOfSorted(sorted, 0.5),
    p99: quantileOfSorted(sorted, 0.99),
    rssBytes: process.memoryUsage.rss(),
    dataBytes: (client.dataBytes?.() ?? 0) - dataBefore,
  };
}
