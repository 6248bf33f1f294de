import { Code, type ConnectError } from "@connectrpc/connect";
import type { Logger } from "../logger.ts";
import { type CallOutcome, createConcurrencyLimiter, type LimiterOptions } from "./concurrency-limiter.ts";
import { createMethodLatency, type MethodLatency } from "./method-latency.ts";
import { createRefusals } from "./refusal.ts";

/** What a call remembers of its slot; `noSlot` to begin with. */
export type SlotHolder = {
  slot: number;
  /** When its request was all here. */
  arrived: number;
};

/** The call counts nowhere. */
export const noSlot = 0;
const working = 1;
const firstEpoch = 2;

/** Load shedding of one server: refuses calls that it couldn't answer in time. Times are those of `performance.now()`. */
export type Shedding = {
  /** What it knows of one method; calls without one are never refused and teach nothing. */
  method(): MethodLatency;
  /** A slot for a call whose headers are here; `noSlot`: answer with `refusal()`, before anything else is done. */
  take(now: number): number;
  /**
   * The request is all here. Whoever is slow to send it doesn't keep its slot that long, and needs one again. False: end with `refusal()`.
   */
  arrived(call: SlotHolder, now: number): boolean;
  /** Whether a call whose handler is about to start has waited so long for that that it should end with `refusal()` after all. */
  stale(call: SlotHolder, method: MethodLatency, now: number): boolean;
  /** The call is over: its slot goes back. Does nothing for a call without one. */
  give(call: SlotHolder, method: MethodLatency, now: number, outcome: Code | "ok" | undefined): void;
  /** What a refused caller gets: one of several errors made beforehand, which nobody may change. Counts it. */
  refusal(): ConnectError;
  /** Watches the event loop, and warns (once a second at most) of calls refused. Returns what stops it. */
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
const ticksPerLine = 20;
const ticksPerEpoch = 2;

/** Makes the load shedding of a server. */
export function createShedding(logger: Pick<Logger, "warn">, options: Partial<LimiterOptions> = {}): Shedding {
  const limiter = createConcurrencyLimiter(options);
  const refusals = createRefusals();
  const nobody = createMethodLatency();
  // Calls that wait for their request, by the epoch in which they came; those of the one before last have no slot any more.
  const waiting = [0, 0];
  let epoch = firstEpoch;
  let refused = 0;

  function nextEpoch(now: number): void {
    epoch++;
    for (let slow = waiting[epoch & 1] ?? 0; slow > 0; slow--) {
      limiter.release(now, nobody, 0, "ignored");
    }
    waiting[epoch & 1] = 0;
  }

  /** Whether a call that still waits has its slot; if so, it is no longer among those that wait. */
  function stopWaiting(slot: number): boolean {
    if (slot < epoch - 1) {
      return false;
    }
    waiting[slot & 1] = (waiting[slot & 1] ?? 1) - 1;
    return true;
  }

  return {
    method: createMethodLatency,
    take(now) {
      if (!limiter.acquire(now)) {
        return noSlot;
      }
      waiting[epoch & 1] = (waiting[epoch & 1] ?? 0) + 1;
      return epoch;
    },
    arrived(call, now) {
      if (call.slot < firstEpoch) {
        return true;
      }
      const held = stopWaiting(call.slot) || limiter.acquire(now);
      call.slot = held ? working : noSlot;
      call.arrived = now;
      return held;
    },
    stale(call, method, now) {
      if (call.slot !== working || !limiter.stale(method, now - call.arrived)) {
        return false;
      }
      call.slot = noSlot;
      limiter.release(now, method, now - call.arrived, "stale");
      return true;
    },
    give(call, method, now, outcome) {
      if (call.slot === working) {
        limiter.release(now, method, now - call.arrived, meaningOf(outcome));
      } else if (call.slot >= firstEpoch && stopWaiting(call.slot)) {
        limiter.release(now, method, 0, "ignored");
      }
      call.slot = noSlot;
    },
    refusal() {
      refused++;
      return refusals();
    },
    watch() {
      let expected = performance.now() + tickMs;
      let ticks = 0;
      let silent = ticksPerLine;
      let reported = refused;
      const timer = setInterval(() => {
        const now = performance.now();
        limiter.lag(Math.max(0, now - expected));
        expected = now + tickMs;
        ticks++;
        if (ticks % ticksPerEpoch === 0) {
          nextEpoch(now);
        }
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

/** What an outcome says of how busy the server is. A call that found nothing has looked for it; one that was refused has not. */
function meaningOf(outcome: Code | "ok" | undefined): CallOutcome {
  switch (outcome) {
    case "ok":
    case Code.NotFound:
    case Code.AlreadyExists:
    case Code.FailedPrecondition:
      return "ok";
    case Code.DeadlineExceeded:
    case Code.Canceled:
      return "dropped";
    default:
      return "ignored";
  }
}
