import { createLatencyWindow } from "./latency-window.ts";
import type { MethodLatency } from "./method-latency.ts";

/** How a limiter decides. Times in milliseconds. */
export type LimiterOptions = {
  /** Calls in flight that are never exceeded, and all that applies while there is no overload. */
  maxLimit: number;
  /** Calls in flight that are always allowed. */
  minLimit: number;
  /** It is overload when calls take this much longer than one and a half times what is normal; more for calls that take next to no time. */
  overloadMs: number;
  /** Times below this count as this. */
  floorMs: number;
  /** Under overload, how many times what the server can work on at once may be in flight. */
  tolerance: number;
  /** Under overload, how often half the limit is tried, to learn how long calls take where nothing waits. */
  probeMs: number;
};

/** What applies where nobody says otherwise. */
export const defaultLimiterOptions: LimiterOptions = {
  maxLimit: 1024,
  minLimit: 1,
  overloadMs: 100,
  floorMs: 1,
  tolerance: 1.5,
  probeMs: 10_000,
};

/**
 * How a call ended, as far as that tells how busy the server is: "ok" has done its work, "dropped" ran out of time or of its caller's patience,
 * "stale" was refused after all before its handler started, "ignored" says nothing (another fault, or it waited for its client).
 */
export type CallOutcome = "ok" | "dropped" | "stale" | "ignored";

/** Says which calls a server takes. `now` and all times are milliseconds of one clock that never goes back; nothing is allocated per call. */
export type ConcurrencyLimiter = {
  /** Takes a slot. False: there is none, refuse the call at once. */
  acquire(now: number): boolean;
  /** Gives a slot back. `ms` is the time since it was taken. */
  release(now: number, method: MethodLatency, ms: number, outcome: CallOutcome): void;
  /** Whether a call that has a slot, but whose handler could not start for `waitedMs`, had better be refused as well. */
  stale(method: MethodLatency, waitedMs: number): boolean;
  /** The event loop was late by so much; to be told regularly. */
  lag(ms: number): void;
  readonly limit: number;
  readonly inFlight: number;
  /** Whether calls wait that long for each other that the limit follows what the server can do. */
  readonly overloaded: boolean;
};

/** A decision needs this many calls, more of them under overload, or else the longest window. */
const enoughCalls = 8;
const windowMs = 50;
const longestWindowMs = 300;
/** Fewer calls in flight are no overload, however slow. */
const leastQueue = 8;
/** So many windows in which calls are slow make an overload. */
const overloadWindows = 3;
const fewCalls = 4;
/** The overload is over once next to nothing has been refused for so long. */
const calmMs = 1_000;
const calmShare = 0.05;
/** At the lowest limit, how soon one call more is tried; twice as long after each failure. */
const shortestGrowMs = 250;
/** When to look again after what is normal has gone up. */
const soonMs = 1_000;
const longestGrowMs = 30_000;
/** How long that is tried for at least. */
const tryingMs = 20;

/**
 * A limit on calls in flight that follows their latency.
 *
 * Without overload it is `maxLimit`. Overload is a standing queue, as opposed to a burst that drains (CoDel, RFC 8289): for three windows on
 * end calls take `overloadMs` longer than normal, and calls in flight don't go down. From then on the limit is set by the gradient of Netflix's
 * concurrency-limits ("Performance Under Load", 2018) and Envoy's adaptive concurrency filter:
 *
 *     limit = tolerance × inFlight × min(1, normal / latency) + √inFlight / 4
 *
 * By Little's law latency grows in step with what is in flight beyond the calls that the server can work on at once, so the product is `tolerance`
 * times the latter, and one step gets there. Where the calls in flight do go down, the limit grows.
 *
 * What is normal is learnt for each method while nothing waits. Under overload half the limit is tried now and then (the idea of BBR's
 * ProbeRTT): what calls take then is normal. So it is where halving the limit didn't make calls quicker: the service itself had become slower.
 */
export function createConcurrencyLimiter(options: Partial<LimiterOptions> = {}): ConcurrencyLimiter {
  const { maxLimit, minLimit, overloadMs, floorMs, tolerance, probeMs } = { ...defaultLimiterOptions, ...options };
  const window = createLatencyWindow(floorMs);
  let limit = maxLimit;
  let inFlight = 0;
  let overloaded = false;
  // Slow windows on end, and the calls in flight before them.
  let slowWindows = 0;
  let inFlightBefore = 0;
  let lagNow = 0;
  let lagBefore = 0;
  // Under overload.
  let calm = 0;
  let settling = 0;
  let settledAt = 0;
  let probing = false;
  let probeAt = 0;
  let growAt = 0;
  let growMs = shortestGrowMs;
  // One call more than the lowest limit is being tried.
  let trying = false;
  // Before the limit went down: calls in flight, and what they took. 0: it didn't.
  let cutMean = 0;
  let cutTypical = 0;

  function decide(now: number): void {
    window.elapse(now, inFlight);
    if (window.calls > 0) {
      if (overloaded) {
        follow(now, window.typical(), window.normal());
      } else {
        watch(now, window.typical(), window.normal());
      }
    }
    if (overloaded) {
      const { refused, admitted, opened } = window;
      calm = refused <= calmShare * (admitted + refused) ? calm + now - opened : 0;
      if (calm >= calmMs) {
        overloaded = false;
        limit = maxLimit;
      }
    }
    window.open(now);
  }

  /** No overload so far. */
  function watch(now: number, typical: number, normal: number): void {
    const low = window.low();
    const standing = low >= 1 && low >= window.mean() / 2;
    // A few calls on a machine that has stopped for a moment are no queue.
    const slow =
      standing && low >= leastQueue && typical + Math.min(lagNow, lagBefore) > 1.5 * normal + allowance(normal);
    if (!slow || inFlight < 0.9 * inFlightBefore) {
      slowWindows = 0;
      inFlightBefore = inFlight;
    } else {
      slowWindows++;
    }
    if (slowWindows === overloadWindows) {
      overloaded = true;
      slowWindows = 0;
      calm = 0;
      cutMean = 0;
      probing = false;
      // What came through in the time that a call normally takes. Latency would tell too little: those that wait longest are still waiting.
      setLimit(now, (tolerance * window.calls * normal) / (now - window.opened), typical);
      return;
    }
    if (!slow) {
      window.learn(standing ? warily : slowly);
    }
  }

  /** Under overload. */
  function follow(now: number, typical: number, normal: number): void {
    const mean = window.mean();
    trying = false;
    if (mean < 0.88 * Math.floor(limit)) {
      // It isn't used up all the time: calls come in bursts, or the load is gone.
      if (probing) {
        probing = false;
        probeAt = now + probeMs;
      }
      const idle = mean < limit / 4;
      if (idle && limit <= fewCalls) {
        // Few calls, and mostly none: it isn't each other that they wait for.
        window.learn(halfway);
      }
      const most = idle ? 1.5 * normal + allowance(normal) : 3 * normal;
      if (window.refused > 0 && typical < most) {
        const spare = Math.min(2, Math.max(1.2, limit / mean));
        setLimit(now, Math.max(limit * spare, limit + 1), typical);
      }
      return;
    }
    if (limit < minLimit + 1) {
      window.learn(nearlyFully);
      probeAt = typical > 1.8 * normal ? now + soonMs : probeAt;
      cutMean = 0;
      probing = false;
      if (now >= growAt) {
        growAt = now + growMs;
        growMs = Math.min(longestGrowMs, growMs * 2);
        setLimit(now, minLimit + 1, typical);
        trying = true;
      }
      return;
    }
    if (probing && typical < 0.9 * normal) {
      // Even what passed for normal was waiting; perhaps this still is.
      window.learn(nearlyFully);
      setLimit(now, mean / 2, typical);
      return;
    }
    if (probing || (cutMean > 0 && mean <= 0.6 * cutMean)) {
      const before = cutMean;
      cutMean = 0;
      if (probing || typical > 0.75 * cutTypical) {
        // Hardly quicker with so much less in flight: nothing waits.
        probing = false;
        probeAt = now + (typical > 1.8 * normal ? soonMs : probeMs);
        window.learn(nearlyFully);
        setLimit(now, tolerance * before * Math.min(1, typical / cutTypical) + headroom(before), typical);
        return;
      }
    }
    const gradient = Math.min(1, normal / typical);
    // Where nothing waits at all, there is no telling how much more would be right.
    let next = gradient > 0.92 ? 1.5 * limit + 1 : tolerance * mean * gradient + headroom(mean);
    if (now >= probeAt && next < 1.1 * limit) {
      probing = true;
      cutMean = 0;
      next /= 2;
      if (limit > minLimit + 3) {
        growMs = shortestGrowMs;
      }
    }
    if (next > limit) {
      cutMean = 0;
      growMs = shortestGrowMs;
    } else if (cutMean === 0) {
      cutMean = mean;
      cutTypical = typical;
    }
    setLimit(now, next, typical);
  }

  /** After it went down, nothing counts until the calls from before are gone. */
  function setLimit(now: number, next: number, typical: number): void {
    const before = Math.floor(limit);
    limit = Math.min(maxLimit, Math.max(minLimit, next));
    if (Math.floor(limit) < before) {
      settling = inFlight;
      settledAt = now + Math.max(500, 4 * typical);
    }
  }

  /** How much longer than normal calls may take. The less they cost, the less is gained by refusing them. */
  function allowance(normal: number): number {
    return overloadMs * Math.max(1, (4 * floorMs) / normal);
  }

  function tick(now: number): void {
    if (settling > 0) {
      if (now >= settledAt && inFlight <= limit) {
        settling = 0;
        window.open(now);
      }
      return;
    }
    const elapsed = now - window.opened;
    // While one call more than the lowest limit is tried, twice as many wait as before: that must not show in what callers see.
    const enough = overloaded && !trying ? 4 * enoughCalls : enoughCalls;
    if (elapsed >= (trying ? tryingMs : windowMs) && (window.calls >= enough || elapsed >= longestWindowMs)) {
      decide(now);
    } else if (Number.isNaN(elapsed)) {
      window.open(now);
    }
  }

  return {
    acquire(now) {
      tick(now);
      if (inFlight + 1 > limit) {
        window.refused++;
        return false;
      }
      window.elapse(now, inFlight);
      window.admitted++;
      inFlight++;
      return true;
    },
    release(now, method, ms, outcome) {
      window.elapse(now, inFlight);
      inFlight--;
      if (outcome === "stale") {
        window.admitted--;
        window.refused++;
      }
      if (settling > 0) {
        settling--;
        if (settling === 0) {
          window.open(now);
        }
      } else if (outcome === "ok" || (outcome === "dropped" && Math.log(ms) > method.base)) {
        window.add(method, ms);
      }
    },
    stale(method, waitedMs) {
      if (!overloaded) {
        return false;
      }
      const normal = Number.isNaN(method.base) ? floorMs : Math.exp(method.base);
      return waitedMs > (settling > 0 ? Math.max(10 * floorMs, 2 * normal) : 2 * (normal + overloadMs));
    },
    lag(ms) {
      lagBefore = lagNow;
      lagNow = ms;
    },
    get limit() {
      return Math.floor(limit);
    },
    get inFlight() {
      return inFlight;
    },
    get overloaded() {
      return overloaded;
    },
  };
}

function headroom(inFlight: number): number {
  return Math.sqrt(inFlight) / 4;
}

/** Quicker to believe that calls can be quick than that they must be slow, which is what a queue looks like. */
function slowly(method: MethodLatency, mean: number): number {
  return Math.min(1, method.calls / 32) * (mean < method.base ? 0.3 : 0.05);
}

/** Among calls that never go down some may be waiting. */
function warily(method: MethodLatency, mean: number): number {
  return Math.min(1, method.calls / 32) * (mean < method.base ? 0.3 : 0.002);
}

function halfway(): number {
  return 0.5;
}

/**
 * All the way, but upwards to no more than double: work that outlives its calls (a query of a caller who has gone) can hold up others that are few, for a while.
 */
function nearlyFully(method: MethodLatency, mean: number): number {
  return Math.min(1, Math.LN2 / Math.max(0, mean - method.base));
}
