import { createInFlightTimes } from "./in-flight-times.ts";
import type { MethodLatency } from "./method-latency.ts";

/** What was seen of a server's calls since the window was opened. Times in milliseconds; nothing is allocated per call. */
export type LatencyWindow = {
  /** When it was opened; NaN before that. */
  readonly opened: number;
  /** Calls that count. */
  readonly calls: number;
  admitted: number;
  refused: number;
  /** Forgets everything. */
  open(now: number): void;
  /** `inFlight` calls have been in flight up to now. */
  elapse(now: number, inFlight: number): void;
  /** A call took so long. */
  add(method: MethodLatency, ms: number): void;
  /** The calls in flight, on average over time. */
  mean(): number;
  /** The calls in flight that were exceeded for nine tenths of the time: high only if a queue never drained. */
  low(): number;
  /** What calls took: their geometric mean. */
  typical(): number;
  /** What the same calls take where nothing waits. */
  normal(): number;
  /** Moves what is known of each method towards what was seen, by a share from 0 to 1. */
  learn(share: (method: MethodLatency, mean: number) => number): void;
};

const drainedShare = 0.1;

/** A window that isn't open yet. Times below `floorMs` count as that. */
export function createLatencyWindow(floorMs: number): LatencyWindow {
  const logFloor = Math.log(floorMs);
  const times = createInFlightTimes();
  const seen: MethodLatency[] = [];
  let changed = 0;
  let logs = 0;
  let calls = 0;
  let opened = Number.NaN;

  return {
    admitted: 0,
    refused: 0,
    get opened() {
      return opened;
    },
    get calls() {
      return calls;
    },
    open(now) {
      times.reset();
      for (const method of seen) {
        method.logs = 0;
        method.calls = 0;
      }
      seen.length = 0;
      logs = 0;
      calls = 0;
      this.admitted = 0;
      this.refused = 0;
      opened = now;
      changed = now;
    },
    elapse(now, inFlight) {
      if (now > changed) {
        times.add(inFlight, now - changed);
        changed = now;
      }
    },
    add(method, ms) {
      const log = Math.max(logFloor, Math.log(ms));
      if (method.calls === 0) {
        seen.push(method);
      }
      method.calls++;
      method.logs += log;
      logs += log;
      calls++;
    },
    mean: () => times.mean(),
    low: () => times.low(drainedShare),
    typical: () => Math.exp(logs / calls),
    normal() {
      let sum = 0;
      for (const method of seen) {
        if (Number.isNaN(method.base)) {
          method.base = method.logs / method.calls;
        }
        sum += method.base * method.calls;
      }
      return Math.exp(sum / calls);
    },
    learn(share) {
      for (const method of seen) {
        const mean = method.logs / method.calls;
        method.base += share(method, mean) * (mean - method.base);
      }
    },
  };
}
