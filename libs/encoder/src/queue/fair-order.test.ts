import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fairPlaces, startOf } from "./fair-order.ts";

type Queued = { who: string; place: number };

/** Serves the queue by place, first come first among equals. */
const order = (queued: Queued[]) => [...queued].sort((a, b) => b.place - a.place).map(({ who }) => who);
const queue = (who: string, costs: number[], finish = 0, reached = 0, priority: -1 | 0 | 1 = 0) =>
  fairPlaces(costs, { finish }, reached, priority).places.map((place) => ({ who, place }));

describe("places", () => {
  it("let people take turns, however much each has", () => {
    const served = order([...queue("a", Array(100).fill(8)), ...queue("b", Array(5).fill(8))]);
    expect(served.slice(0, 10).filter((who) => who === "b")).toHaveLength(5);
  });

  it("let whoever comes late begin where the others are", () => {
    const a = queue("a", Array(100).fill(8));
    const reached = startOf(a[50]?.place ?? 0);
    const served = order([...a.slice(50), ...queue("b", Array(5).fill(8), 0, reached)]);
    expect(served.slice(0, 10).filter((who) => who === "b")).toHaveLength(5);
  });

  it("keep a person's own tasks in their order", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1000, noNaN: true })), fc.nat(1_000_000), (costs, finish) => {
        const { places, share } = fairPlaces(costs, { finish }, 0, 0);
        expect(places).toEqual([...places].sort((a, b) => b - a));
        expect(share.finish).toBeGreaterThanOrEqual(finish);
      }),
    );
  });

  it("put a higher priority before a lower one, always", () => {
    fc.assert(
      fc.property(fc.nat(2_000_000_000), fc.nat(2_000_000_000), (one, other) => {
        const [high = 0] = fairPlaces([1], { finish: one }, 0, 1).places;
        const [normal = 0] = fairPlaces([1], { finish: other }, 0, 0).places;
        const [low = 0] = fairPlaces([1], { finish: one }, 0, -1).places;
        expect(high).toBeGreaterThan(normal);
        expect(normal).toBeGreaterThan(low);
        for (const place of [high, normal, low]) expect(Math.abs(place)).toBeLessThan(2 ** 31);
      }),
    );
  });

  it("tell the clock's time", () => {
    fc.assert(
      fc.property(fc.nat(600_000_000), fc.constantFrom(-1 as const, 0 as const, 1 as const), (finish, priority) => {
        expect(startOf(fairPlaces([1], { finish }, 0, priority).places[0] ?? 0)).toBe(finish);
      }),
    );
  });
});
