import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallOutcome, createConcurrencyLimiter } from "./concurrency-limiter.ts";
import { createMethodLatency } from "./method-latency.ts";
import {
  constant,
  exponential,
  lognormal,
  type PhaseResult,
  pareto,
  type ServiceTime,
  simulateLoop,
  simulatePool,
} from "./simulated-server.ts";

/** Simulated time: nothing here depends on the machine. */
const warmUp = 3_000;
const seconds = 10_000;

/** What happens at each of the loads, which are in units of what the server can do. */
function loads(
  simulate: (phases: { ms: number; rate: number; service: ServiceTime }[]) => PhaseResult[],
  capacity: number,
  service: ServiceTime,
): (load: number) => PhaseResult {
  return (load) => {
    // The limiter first sees the service as it is without much to do; then the load; its first moments aren't judged.
    const phases = [0.3, load, load].map((factor, index) => ({
      ms: index === 2 ? seconds : warmUp,
      rate: factor * capacity,
      service,
    }));
    const result = simulate(phases).at(-1);
    if (result === undefined) {
      throw new Error("no phases");
    }
    return result;
  };
}

describe("a pool of 10 that takes 10 ms (capacity: 1,000 a second)", () => {
  for (const [name, service, goodput] of [
    ["constant", constant(10), 900],
    ["exponential", exponential(10), 900],
    // A few of these calls take up much of what the pool can do: what can be had is a matter of luck.
    ["Pareto", pareto(10), 800],
    ["lognormal", lognormal(10), 800],
  ] as const) {
    it.each([1, 2, 3])(`keeps goodput and latency under overload: ${name} times (%i)`, (seed) => {
      const at = loads((phases) => simulatePool(10, phases, seed), 1, service);
      const unloaded = at(0.3);
      expect(at(0.5).refusedShare).toBeLessThan(0.002);
      for (const load of [2, 10]) {
        const result = at(load);
        expect(result.goodput).toBeGreaterThan(goodput);
        expect(result.p99).toBeLessThan(3 * unloaded.p99);
      }
    });
  }

  it("loses little where it is just as busy as it can be", () => {
    const at = loads((phases) => simulatePool(10, phases, 7), 1, exponential(10));
    expect(at(1).goodput).toBeGreaterThan(850);
    expect(at(1.2).goodput).toBeGreaterThan(850);
  });
});

describe("handlers that compute for 4 ms on one thread (capacity: 250 a second)", () => {
  it("keeps goodput and latency at ten times what it can do", () => {
    const at = loads((phases) => simulateLoop(phases, 7), 0.25, constant(4));
    // By itself a call takes 4 ms; whatever comes meanwhile waits for it.
    expect(at(0.02).p99).toBeLessThan(8.5);
    expect(at(0.5).refusedShare).toBe(0);
    expect(at(1).goodput).toBeGreaterThan(220);
    const { goodput, p99 } = at(10);
    expect(goodput).toBeGreaterThan(0.9 * 250);
    // Who comes while a call computes waits for that one, and for no other.
    expect(p99).toBeLessThan(2.2 * 4.3);
  });

  it("keeps goodput where times vary", () => {
    const at = loads((phases) => simulateLoop(phases, 7), 0.25, exponential(4));
    for (const load of [2, 10]) {
      expect(at(load).goodput).toBeGreaterThan(0.85 * 250);
    }
  });
});

it("doesn't refuse calls that cost no more than their refusal does, however busy the server", () => {
  const at = loads((phases) => simulateLoop(phases, 7), 16, constant(0.03));
  expect(at(0.95).refusedShare).toBe(0);
});

it("follows a service that becomes slower for good, and quicker again", () => {
  const phase = (ms: number) => ({ ms: seconds, rate: 0.7, service: constant(ms) });
  const results = simulatePool(10, [10, 50, 50, 10, 10].map(phase), 7);
  // 10 at a time of 50 ms each: 200 a second.
  expect(results[2]?.goodput).toBeGreaterThan(180);
  expect(results[2]?.p99).toBeLessThan(3 * 50);
  expect(results[4]?.goodput).toBeGreaterThan(650);
  expect(results[4]?.refusedShare).toBe(0);
});

it("takes everything again after an overload", () => {
  const phase = (rate: number) => ({ ms: seconds, rate, service: constant(10) });
  const results = simulatePool(10, [0.5, 10, 0.5, 0.5].map(phase), 7);
  expect(results[1]?.refusedShare).toBeGreaterThan(0.85);
  expect(results[3]?.refusedShare).toBe(0);
  expect(results[3]?.limit).toBe(1024);
});

it("lets a burst through that drains", () => {
  const limiter = createConcurrencyLimiter();
  const method = createMethodLatency();
  let now = 0;
  for (let burst = 0; burst < 50; burst++) {
    // 100 calls at once, for a pool of 10 that takes 10 ms: the last waits for 90 ms.
    for (let call = 0; call < 100; call++) {
      expect(limiter.acquire(now)).toBe(true);
    }
    for (let call = 0; call < 100; call++) {
      const ms = 10 * (1 + Math.floor(call / 10));
      limiter.release(now + ms, method, ms, "ok");
    }
    now += 500;
  }
  expect(limiter.overloaded).toBe(false);
});

it("counts a late event loop as waiting", () => {
  const overloadedWith = (lag: number) => {
    const limiter = createConcurrencyLimiter();
    const method = createMethodLatency();
    for (let now = 0; now < 3_000; now += 5) {
      limiter.acquire(now);
      if (now > 1_000 && now % 50 === 0) {
        limiter.lag(lag);
      }
      // Always twenty in flight, 100 ms each.
      if (now >= 100) {
        limiter.release(now, method, 100, "ok");
      }
    }
    return limiter.overloaded;
  };
  expect(overloadedWith(0)).toBe(false);
  expect(overloadedWith(200)).toBe(true);
});

it("refuses nobody because a few calls are slow", () => {
  const limiter = createConcurrencyLimiter();
  const method = createMethodLatency();
  // Four in flight all the time, quick at first and then hundreds of times as slow.
  for (let call = 0; call < 4; call++) {
    limiter.acquire(0);
  }
  for (let now = 10; now < 10_000; now += 10) {
    limiter.release(now, method, now < 3_000 ? 1 : 400, "ok");
    expect(limiter.acquire(now)).toBe(true);
  }
  expect(limiter.overloaded).toBe(false);
});

it("lets a burst through that takes a second to drain", () => {
  const limiter = createConcurrencyLimiter();
  const method = createMethodLatency();
  for (let now = 0; now < 1_000; now += 20) {
    limiter.acquire(now);
    limiter.release(now + 10, method, 10, "ok");
  }
  for (let call = 0; call < 1_000; call++) {
    expect(limiter.acquire(1_000)).toBe(true);
  }
  for (let call = 0; call < 1_000; call++) {
    limiter.release(1_000 + call, method, call, "ok");
    // Now and then another one comes.
    if (call % 10 === 0) {
      expect(limiter.acquire(1_000 + call)).toBe(true);
      limiter.release(1_000 + call, method, 10, "ok");
    }
  }
  expect(limiter.overloaded).toBe(false);
});

it("refuses what waited too long for its handler to start, but only under overload", () => {
  const limiter = createConcurrencyLimiter({ overloadMs: 50 });
  const method = createMethodLatency();
  let now = 0;
  for (; now < 1_000; now += 20) {
    limiter.acquire(now);
    limiter.release(now + 10, method, 10, "ok");
  }
  expect(limiter.stale(method, 10_000)).toBe(false);
  // One thread, 10 ms a call, twice as many calls.
  for (let call = 0; !limiter.overloaded && call < 1_000; call++) {
    limiter.acquire(now);
    limiter.acquire(now);
    now += 10;
    limiter.release(now, method, call * 5, "ok");
  }
  expect(limiter.overloaded).toBe(true);
  expect(limiter.stale(method, 15)).toBe(false);
  expect(limiter.stale(method, 25)).toBe(true);
});

it("counts slots right and stays within its limits, whatever happens", () => {
  const step = fc.record({
    action: fc.constantFrom<CallOutcome | "acquire">("acquire", "acquire", "ok", "dropped", "stale", "ignored"),
    later: fc.double({ min: 0, max: 300, noNaN: true }),
    took: fc.double({ min: 0, max: 100_000, noNaN: true }),
    method: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), fc.integer({ min: 1, max: 5 }), (steps, minLimit) => {
      const limiter = createConcurrencyLimiter({ minLimit, maxLimit: 40, overloadMs: 5, probeMs: 500 });
      const methods = [createMethodLatency(), createMethodLatency(), createMethodLatency()] as const;
      let now = 1_000;
      let held = 0;
      for (const { action, later, took, method } of steps) {
        now += later;
        if (action === "acquire") {
          const before = held;
          if (limiter.acquire(now)) {
            held++;
            expect(before).toBeLessThan(limiter.limit);
          } else {
            expect(before).toBeGreaterThanOrEqual(limiter.limit);
          }
        } else if (held > 0) {
          held--;
          limiter.release(now, methods[method] ?? methods[0], took, action);
        }
        expect(limiter.inFlight).toBe(held);
        expect(limiter.limit).toBeGreaterThanOrEqual(minLimit);
        expect(limiter.limit).toBeLessThanOrEqual(40);
      }
    }),
  );
});
