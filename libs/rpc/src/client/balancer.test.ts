import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Backend, type Scenario, seededRandom, simulateBackends } from "../testing/simulate-backends.ts";
import {
  balancerSettings,
  createBalancer,
  createLoad,
  observeAnswer,
  observeAtLeast,
  observeOpening,
} from "./balancer.ts";

type Fake = { inFlight: number; name: string };

function fakes(...inFlight: number[]) {
  return inFlight.map((count, i) => createLoad<Fake>({ inFlight: count, name: "abcdefgh"[i] ?? "" }, 0));
}

const same = () => 0;

const services: Record<string, (random: () => number) => number> = {
  "always 1 ms": () => 1,
  "1 ms on average, exponential": (random) => -Math.log(random()),
  "0.3 ms, one in ten 7 ms": (random) => (random() < 0.9 ? 0.3 : 7),
};

describe("one of three backends 20 times slower", () => {
  const run = (
    slow: number[],
    rest: Omit<Scenario, "slow" | "balancer" | "service" | "calls">,
    service: string,
    seed: number,
  ) => {
    const random = seededRandom(seed);
    return simulateBackends({
      slow,
      ...rest,
      calls: 10_000,
      service: () => services[service]?.(random) ?? 1,
      balancer: createBalancer(),
    });
  };

  it.each(Object.keys(services))("p99 at most twice that of healthy ones, calls of %s", (service) => {
    for (const workers of [1, 8, 64]) {
      for (const concurrency of [1, 3, 8, 16, 64]) {
        const shape = { concurrency, workers };
        const ratio = run([1, 1, 20], shape, service, 1).p99 / run([1, 1, 1], shape, service, 1).p99;
        expect(ratio, `${workers} workers, ${concurrency} in flight`).toBeLessThanOrEqual(2);
      }
    }
  });

  it("is what least-in-flight alone fails at", () => {
    const least: Scenario["balancer"] = {
      pick: (loads) => loads.toSorted((a, b) => a.endpoint.inFlight - b.endpoint.inFlight)[0],
    };
    const scenario = { concurrency: 16, workers: 64, calls: 10_000, service: () => 1, balancer: least };
    const healthy = simulateBackends({ ...scenario, slow: [1, 1, 1] });
    expect(simulateBackends({ ...scenario, slow: [20, 1, 1] }).p99 / healthy.p99).toBeGreaterThan(10);
  });

  it("comes back when it heals, a few calls at a time", () => {
    const scenario = {
      concurrency: 16,
      workers: 64,
      service: () => 1,
      balancer: createBalancer<Backend>(),
    };
    const healed = 20_000;
    const { picks } = simulateBackends({
      ...scenario,
      slow: [1, 1, 20],
      calls: 300_000,
      during: (call) => (call < healed ? [1, 1, 20] : [1, 1, 1]),
    });
    const shareOfSlow = (calls: number[]) => calls.filter((index) => index === 2).length / calls.length;
    expect(shareOfSlow(picks.slice(1000, healed))).toBeLessThan(0.01);
    expect(shareOfSlow(picks.slice(-20_000))).toBeGreaterThan(0.25);
  });
});

describe("healthy backends", () => {
  it("share the calls", () => {
    for (const concurrency of [1, 16, 64]) {
      const random = seededRandom(concurrency);
      const { shares } = simulateBackends({
        slow: [1, 1, 1],
        concurrency,
        workers: 64,
        calls: 10_000,
        service: () => 0.5 + random(),
        balancer: createBalancer(),
      });
      expect(Math.min(...shares)).toBeGreaterThan(0.2);
    }
  });
});

describe("createBalancer", () => {
  it("picks from the lowest tier, and nobody who is out", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(0, 1, 2, Number.POSITIVE_INFINITY), fc.nat(9), fc.nat(99), fc.boolean()), {
          maxLength: 8,
        }),
        (list) => {
          const loads = fakes(...list.map(([, inFlight]) => inFlight));
          loads.forEach((load, i) => {
            observeAnswer(load, list[i]?.[2] ?? 0, 0);
          });
          const tiers = new Map(loads.map((load, i) => [load, list[i]?.[0] ?? 0]));
          const avoid = new Set(loads.filter((_, i) => list[i]?.[3]).map(({ endpoint }) => endpoint));
          const rank = (load: (typeof loads)[number]) => (tiers.get(load) ?? 0) + (avoid.has(load.endpoint) ? 0.5 : 0);
          const picked = createBalancer<Fake>().pick(loads, (load) => tiers.get(load) ?? 0, 1, avoid);
          const best = Math.min(...loads.map(rank));
          expect(picked === undefined ? Number.POSITIVE_INFINITY : rank(picked)).toBe(best);
        },
      ),
    );
  });

  it("lets equals take turns", () => {
    const loads = fakes(0, 0, 0);
    const balancer = createBalancer<Fake>();
    const names = Array.from({ length: 6 }, () => balancer.pick(loads, same, 0)?.endpoint.name);
    expect(new Set(names.slice(0, 3)).size).toBe(3);
    expect(names.slice(3)).toEqual(names.slice(0, 3));
  });

  it("gives a new endpoint one call, then as many at once as it has answered and one more", () => {
    const loads = fakes(40, 40, 0);
    const [first, second, fresh] = loads;
    if (first === undefined || second === undefined || fresh === undefined) {
      throw new Error("three are needed");
    }
    for (const known of [first, second]) {
      for (let i = 0; i < 100; i++) {
        observeAnswer(known, 1, i * 100);
      }
    }
    const balancer = createBalancer<Fake>();
    const taken = () => {
      const before = fresh.endpoint.inFlight;
      for (let i = 0; i < 20; i++) {
        const picked = balancer.pick(loads, same, 10_000);
        if (picked === fresh) {
          fresh.endpoint.inFlight++;
        }
      }
      return fresh.endpoint.inFlight - before;
    };
    expect(taken()).toBe(1);
    expect(taken()).toBe(0);
    fresh.endpoint.inFlight--;
    observeAnswer(fresh, 1, 10_001);
    expect(taken()).toBe(2);
  });

  it("tries a slow one again, seldom", () => {
    const [quick, slow] = fakes(0, 0);
    if (quick === undefined || slow === undefined) {
      throw new Error("two are needed");
    }
    observeAnswer(quick, 1, 0);
    observeAnswer(slow, 50, 0);
    const balancer = createBalancer<Fake>();
    let tries = 0;
    const calls = 10_000;
    for (let i = 0; i < calls; i++) {
      if (balancer.pick([quick, slow], same, i * 20) === slow) {
        tries++;
      }
    }
    expect(tries).toBeGreaterThan(30);
    expect(tries).toBeLessThanOrEqual(calls / balancerSettings.callsPerProbe);
  });

  it("spreads streams, which say nothing about speed, by their number", () => {
    const loads = fakes(0, 0, 0);
    const balancer = createBalancer<Fake>();
    for (let i = 0; i < 300; i++) {
      const picked = balancer.pick(loads, same, i);
      if (picked !== undefined) {
        picked.endpoint.inFlight++;
        observeOpening(picked);
      }
    }
    expect(loads.map(({ endpoint }) => endpoint.inFlight)).toEqual([100, 100, 100]);
    const [first] = loads;
    if (first !== undefined) {
      observeAtLeast(first, 4, 300);
      first.endpoint.inFlight = 0;
    }
    expect(balancer.pick(loads, same, 300)).not.toBe(first);
  });

  it("doesn't take a quick failure for speed", () => {
    const [works, fails] = fakes(0, 0);
    if (works === undefined || fails === undefined) {
      throw new Error("two are needed");
    }
    observeAnswer(works, 1, 0);
    observeAnswer(fails, 1, 0);
    observeAtLeast(fails, 0.01, 10_000);
    expect(fails.slowness).toBe(1);
    observeAtLeast(fails, 4, 10_000);
    expect(createBalancer<Fake>().pick([works, fails], same, 10_000)).toBe(works);
  });

  it("keeps finite, positive figures whatever it observes", () => {
    const event = fc.record({
      answer: fc.boolean(),
      slowness: fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
      after: fc.nat(100_000),
    });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const [load] = fakes(3);
        let now = 0;
        for (const { answer, slowness, after } of load === undefined ? [] : events) {
          now += after;
          (answer ? observeAnswer : observeAtLeast)(load as ReturnType<typeof fakes>[number], slowness, now);
          expect(load?.slowness).toBeGreaterThan(0);
          expect(load?.slowness).toBeLessThanOrEqual(1e6);
          expect(load?.crowd).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
