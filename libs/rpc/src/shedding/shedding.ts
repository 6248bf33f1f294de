import type { ConnectError } from "@connectrpc/connect";
import type { Logger } from "../logger.ts";
import { type CallOutcome, createConcurrencyLimiter, type LimiterOptions } from "./concurrency-limiter.ts";
import { createMethodLatency, type MethodLatency } from "./method-latency.ts";
import { createRefusals } from "./refusal.ts";

/** Load shedding of one server: refuses calls that it couldn't answer in time. */
export type Shedding = {
  /** What it knows of one method; calls without one are never refused and teach nothing. */
  method(): MethodLatency;
  /** Takes a slot for a call whose headers are here; false: answer with `refusal()`. */
  acquire(now: number): boolean;
  /** Gives the slot back once the call is over. */
  release(now: number, method: MethodLatency, ms: number, outcome: CallOutcome): void;
  /** Whether a call that waited so long for its handler to start should end with `refusal()` after all (release it as "stale"). */
  stale(method: MethodLatency, waitedMs: number): boolean;
  /** What a refused caller gets: one of several errors made beforehand, which nobody may change. Counts it. */
  refusal(): ConnectError;
  /** Starts to watch the event loop, and to warn (once a second at most) of calls refused. Returns what stops it. */
  watch(): () => void;
  /** Calls that may be in flight now. */
  readonly limit: number;
  /** Calls in flight. */
  readonly inFlight: number;
  readonly overloaded: boolean;
  /** Calls refused so far. */
  readonly refused: number;
};

const tickMs = 50;
const ticksPerLine = 1_000 / tickMs;

/** Makes the load shedding of a server. Times are those of `performance.now()`. */
export function createShedding(logger: Pick<Logger, "warn" | "info">, options: Partial<LimiterOptions> = {}): Shedding {
  const limiter = createConcurrencyLimiter(options);
  const refusals = createRefusals();
  let refused = 0;
  let reported = 0;

  return {
    method: createMethodLatency,
    acquire: limiter.acquire,
    release: limiter.release,
    stale: limiter.stale,
    refusal() {
      refused++;
      return refusals();
    },
    watch() {
      let expected = performance.now() + tickMs;
      let silent = ticksPerLine;
      const timer = setInterval(() => {
        const now = performance.now();
        limiter.lag(Math.max(0, now - expected));
        expected = now + tickMs;
        silent++;
        if (refused > reported && silent >= ticksPerLine) {
          const { limit, inFlight } = limiter;
          logger.warn({ refused: refused - reported, limit, inFlight }, "more calls than can be answered in time");
          reported = refused;
          silent = 0;
        }
      }, tickMs);
      timer.unref();
      return () => clearInterval(timer);
    },
    get limit() {
      return limiter.limit;
    },
    get inFlight() {
      return limiter.inFlight;
    },
    get overloaded() {
      return limiter.overloaded;
    },
    get refused() {
      return refused;
    },
  };
}
