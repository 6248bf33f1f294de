import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHealth, createOutlierEjection, ejectionSettings, type Health } from "./outlier-ejection.ts";

function start(count: number) {
  const all = Array.from({ length: count }, createHealth);
  return { all, ejection: createOutlierEjection(0), at: (i: number) => all[i] as Health };
}

const out = (all: Health[], now: number) => all.map(({ ejectedUntil }) => ejectedUntil > now);

describe("createOutlierEjection", () => {
  it("ejects at the fifth fault in a row, for 30 s, and longer each time", () => {
    const { all, ejection, at } = start(3);
    ejection.success(at(1));
    const failFive = (now: number) => [4, 3, 2, 1, 0].map((before) => ejection.fault(at(0), all, now - before * 100));
    expect(failFive(1000)).toEqual([false, false, false, false, true]);
    expect(at(0).ejectedUntil).toBe(31_000);
    expect(out(all, 30_999)).toEqual([true, false, false]);
    expect(out(all, 31_000)).toEqual([false, false, false]);
    expect(failFive(40_000).at(-1)).toBe(true);
    expect(at(0).ejectedUntil).toBe(40_000 + 60_000);
    for (let round = 3; round < 20; round++) {
      failFive(round * 1e6);
    }
    expect(at(0).ejectedUntil).toBe(19e6 + ejectionSettings.longestMs);
  });

  it("starts counting anew at each success", () => {
    const { all, ejection, at } = start(2);
    ejection.success(at(1));
    for (let i = 0; i < 40; i++) {
      if (i % 5 === 4) {
        ejection.success(at(0));
      } else {
        expect(ejection.fault(at(0), all, i * 1000)).toBe(false);
      }
    }
  });

  it("takes the calls of one broken connection for one fault", () => {
    const { all, ejection, at } = start(2);
    ejection.success(at(1));
    for (let i = 0; i < 99; i++) {
      expect(ejection.fault(at(0), all, i)).toBe(false);
    }
    expect(at(0).faultsInARow).toBe(1);
  });

  it("ejects nobody when nobody does better", () => {
    const { all, ejection } = start(4);
    for (let round = 0; round < 50; round++) {
      for (const health of all) {
        expect(ejection.fault(health, all, round * 1000)).toBe(false);
      }
    }
  });

  it("never ejects the only one", () => {
    const { all, ejection, at } = start(1);
    for (let i = 0; i < 100; i++) {
      expect(ejection.fault(at(0), all, i * 1000)).toBe(false);
    }
  });

  it("ejects by success rate what stands out, from two endpoints on", () => {
    const { all, ejection, at } = start(2);
    for (let i = 0; i < 100; i++) {
      ejection.success(at(0));
      if (i % 2 === 0) {
        ejection.success(at(1));
      } else {
        ejection.fault(at(1), all, 10);
      }
    }
    expect(ejection.compare(all, 9_999)).toEqual([]);
    expect(ejection.compare(all, 10_000)).toEqual([at(1)]);
    expect(out(all, 39_999)).toEqual([false, true]);
    // The count starts anew.
    expect(ejection.compare(all, 20_000)).toEqual([]);
  });

  it.each([
    ["few calls say nothing", 40, [1, 1, 0.5]],
    ["small differences are chance", 100, [1, 1, 0.92]],
    ["what varies among all is no outlier", 100, [0.9, 0.5, 0.45]],
  ])("leaves an endpoint alone: %s", (_name, calls, rates) => {
    const { all, ejection, at } = start(3);
    rates.forEach((rate, i) => {
      for (let call = 0; call < calls; call++) {
        // Spread out, so that there are no runs of five.
        if (Math.floor((call + 1) * rate) > Math.floor(call * rate)) {
          ejection.success(at(i));
        } else {
          ejection.fault(at(i), all, 10);
        }
      }
    });
    expect(ejection.compare(all, 10_000)).toEqual([]);
  });

  it("forgives: each interval without an ejection takes one back", () => {
    const { all, ejection, at } = start(2);
    ejection.success(at(1));
    for (let i = 0; i < 5; i++) {
      ejection.fault(at(0), all, i * 100);
    }
    expect(at(0).ejections).toBe(1);
    ejection.compare(all, 10_000);
    expect(at(0).ejections).toBe(1);
    ejection.compare(all, 40_000);
    expect(at(0).ejections).toBe(0);
  });

  it("leaves at least half of them, whatever happens", () => {
    const event = fc.record({ index: fc.nat(6), fault: fc.boolean(), after: fc.nat(5_000) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.array(event, { maxLength: 400 }), (count, events) => {
        const { all, ejection, at } = start(count);
        let now = 0;
        for (const { index, fault, after } of events) {
          now += after;
          const health = at(index % count);
          if (fault) {
            ejection.fault(health, all, now);
          } else {
            ejection.success(health);
          }
          ejection.compare(all, now);
          expect(out(all, now).filter(Boolean).length).toBeLessThanOrEqual(count / 2);
        }
      }),
    );
  });
});
