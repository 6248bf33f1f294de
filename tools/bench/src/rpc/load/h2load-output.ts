import { quantileOfSorted } from "../../harness/statistics.ts";
import type { LoadResult } from "./load.ts";

const units = { s: 1, ms: 1e-3, us: 1e-6, m: 60, h: 3600 } as const;

/** Reads what h2load (nghttp2 1.52) prints. Throws with that text where it isn't what we know. */
export function parseSummary(text: string): Pick<LoadResult, "calls" | "failed" | "seconds" | "dataBytes"> {
  const finished = /finished in ([\d.]+)(us|ms|s|m|h),/.exec(text);
  const requests = /requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded,/.exec(text);
  const data = /\((\d+)\) data$/m.exec(text);
  if (finished === null || requests === null || data === null) {
    throw new Error(`h2load printed something unexpected:\n${text}`);
  }
  const calls = Number(requests[1]);
  return {
    calls,
    failed: calls - Number(requests[2]),
    seconds: Number(finished[1]) * units[finished[2] as keyof typeof units],
    dataBytes: Number(data[1]),
  };
}

/** Reads h2load's log: a line per request with its start, its status, its microseconds. */
export function parseLog(text: string): Pick<LoadResult, "p50" | "p99"> {
  const durations = new Float64Array(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => Number(line.split("\t")[2]) / 1000),
  ).sort();
  return { p50: quantileOfSorted(durations, 0.5), p99: quantileOfSorted(durations, 0.99) };
}
