import fc from "fast-check";
import { expect, test } from "vitest";
import { median, pairedRatio, quantile, spread } from "./statistics.ts";

test("a quantile is the value at the nearest rank", () => {
  const values = [50, 10, 40, 20, 30];
  expect(quantile(values, 0)).toBe(10);
  expect(quantile(values, 0.5)).toBe(30);
  expect(quantile(values, 0.8)).toBe(40);
  expect(quantile(values, 0.99)).toBe(50);
  expect(quantile([], 0.5)).toBeNaN();
});

test("so large a share of the values is at most the quantile", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, fraction) => {
        const found = quantile(values, fraction);
        expect(values).toContain(found);
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(
          Math.floor(fraction * values.length),
        );
      },
    ),
  );
});

test("the median of an even number of values lies between the two in the middle", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([])).toBeNaN();
});

test("the spread is relative to the median", () => {
  expect(spread([90, 100, 120])).toBeCloseTo(0.3);
  expect(spread([7])).toBe(0);
});

test("a disturbed round disturbs no ratio, because it slows both", () => {
  // The third round had half the machine.
  expect(pairedRatio([80, 82, 40, 81, 79], [100, 100, 50, 100, 100])).toBeCloseTo(0.8);
});

test("rounds that one of the two lacks are left out", () => {
  expect(pairedRatio([10, 10, 99], [20, 20])).toBe(0.5);
  expect(pairedRatio([], [])).toBeNaN();
});
