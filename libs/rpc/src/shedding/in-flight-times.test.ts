import fc from "fast-check";
import { expect, it } from "vitest";
import { createInFlightTimes } from "./in-flight-times.ts";

it("tells the number that was exceeded for most of the time", () => {
  const times = createInFlightTimes();
  times.add(0, 5);
  times.add(3, 10);
  times.add(20, 85);
  expect(times.low(0.01)).toBe(0);
  expect(times.low(0.1)).toBe(3);
  expect(times.low(0.2)).toBe(20);
  expect(times.mean()).toBeCloseTo(17.3);
  times.reset();
  expect(times.low(0.1)).toBe(0);
  expect(times.mean()).toBe(0);
});

it("is exact for few and a little low for many", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (inFlight) => {
      const times = createInFlightTimes();
      times.add(inFlight, 1);
      const low = times.low(0.1);
      expect(low).toBeLessThanOrEqual(inFlight);
      expect(low).toBeGreaterThan(inFlight * 0.88 - (inFlight < 32 ? 1 : 0));
      expect(inFlight < 32 ? low === inFlight : true).toBe(true);
    }),
  );
});
