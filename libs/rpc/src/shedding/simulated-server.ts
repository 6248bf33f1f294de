import { type ConcurrencyLimiter, createConcurrencyLimiter } from "./concurrency-limiter.ts";
import { createMethodLatency, type MethodLatency } from "./method-latency.ts";

/** A stretch of time in which calls come at random (Poisson), in milliseconds and calls per millisecond. */
export type Phase = { ms: number; rate: number; service: ServiceTime };

/** Draws how long a call takes, in milliseconds, given numbers from 0 to 1. */
export type ServiceTime = (random: () => number) => number;

/** What became of the calls that ended in a phase. */
export type PhaseResult = {
  /** Calls per second that were answered. */
  goodput: number;
  /** Of those that ended, the share that was refused. */
  refusedShare: number;
  /** Milliseconds from a call's arrival to its answer. */
  p50: number;
  p99: number;
  limit: number;
};

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Always the same. */
export function constant(ms: number): ServiceTime {
  return () => ms;
}

export function exponential(mean: number): ServiceTime {
  return (random) => -Math.log(1 - random()) * mean;
}

/** Heavy-tailed: shape 1.8 has no variance. */
export function pareto(mean: number, shape = 1.8): ServiceTime {
  return (random) => (mean * (shape - 1)) / shape / (1 - random()) ** (1 / shape);
}

/** Heavy-tailed: some calls take ten times the mean. */
export function lognormal(mean: number, sigma = 1.2): ServiceTime {
  return (random) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return mean * Math.exp(sigma * normal - (sigma * sigma) / 2);
  };
}

/** The parts that both servers share: arrivals and what is noted of them. */
function createRun(seed: number, limiter: ConcurrencyLimiter) {
  const random = seededRandom(seed);
  let latencies: number[] = [];
  let refused = 0;
  return {
    random,
    gap: (rate: number) => -Math.log(1 - random()) / rate,
    answered: (ms: number) => latencies.push(ms),
    refuse: () => {
      refused++;
    },
    end({ ms }: Phase): PhaseResult {
      const sorted = latencies.sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
      const result = {
        goodput: (sorted.length / ms) * 1_000,
        refusedShare: refused / Math.max(1, refused + sorted.length),
        p50: at(0.5),
        p99: at(0.99),
        limit: limiter.limit,
      };
      latencies = [];
      refused = 0;
      return result;
    },
  };
}

/** Handlers that wait for one of `size` connections, say: calls that were admitted queue for them, first come first served. */
export function simulatePool(size: number, phases: readonly Phase[], seed: number): PhaseResult[] {
  const limiter = createConcurrencyLimiter();
  const method = createMethodLatency();
  const run = createRun(seed, limiter);
  const busy: { until: number; arrived: number }[] = [];
  const queue: { arrived: number; ms: number }[] = [];
  let now = 0;
  return phases.map((phase) => {
    const end = now + phase.ms;
    let next = now + run.gap(phase.rate);
    for (;;) {
      const first = busy.reduce((best, { until }, index) => (until < (busy[best]?.until ?? 0) ? index : best), 0);
      const done = busy[first]?.until ?? Number.POSITIVE_INFINITY;
      if (Math.min(done, next) > end) {
        break;
      }
      if (done <= next) {
        now = done;
        for (const { arrived } of busy.splice(first, 1)) {
          limiter.release(now, method, now - arrived, "ok");
          run.answered(now - arrived);
        }
        for (const { arrived, ms } of queue.splice(0, 1)) {
          busy.push({ until: now + ms, arrived });
        }
        continue;
      }
      now = next;
      next = now + run.gap(phase.rate);
      if (!limiter.acquire(now)) {
        run.refuse();
      } else if (busy.length < size) {
        busy.push({ until: now + phase.service(run.random), arrived: now });
      } else {
        queue.push({ arrived: now, ms: phase.service(run.random) });
      }
    }
    now = end;
    return run.end(phase);
  });
}

/** What one thread spends beside handlers, in milliseconds. */
const cost = { turn: 0.01, admit: 0.03, refuse: 0.025, readAtOnce: 256 };

/**
 * Handlers that compute, all on one thread: while one does, calls wait unseen where the kernel keeps them. Each turn of the event loop takes or refuses
 * what has come, and then lets handlers compute until a millisecond is over (turns.ts).
 */
export function simulateLoop(phases: readonly Phase[], seed: number): PhaseResult[] {
  const limiter = createConcurrencyLimiter();
  const method: MethodLatency = createMethodLatency();
  const run = createRun(seed, limiter);
  const queue: { arrived: number; admitted: number; ms: number }[] = [];
  let now = 0;
  return phases.map((phase) => {
    const end = now + phase.ms;
    let next = now + run.gap(phase.rate);
    while (now < end) {
      if (queue.length === 0 && next > now) {
        now = Math.min(next, end);
      }
      now += cost.turn;
      const polled = now;
      for (let read = 0; next <= polled && read < cost.readAtOnce; read++) {
        const arrived = next;
        next += run.gap(phase.rate);
        if (limiter.acquire(now)) {
          now += cost.admit;
          queue.push({ arrived, admitted: now, ms: phase.service(run.random) });
        } else {
          now += cost.refuse;
          run.refuse();
        }
      }
      const begun = now;
      while (now - begun <= 1) {
        const call = queue.shift();
        if (call === undefined) {
          break;
        }
        if (limiter.stale(method, now - call.admitted)) {
          now += cost.refuse;
          limiter.release(now, method, now - call.admitted, "stale");
          run.refuse();
        } else {
          now += call.ms;
          limiter.release(now, method, now - call.admitted, "ok");
          run.answered(now - call.arrived);
        }
      }
    }
    return run.end(phase);
  });
}
