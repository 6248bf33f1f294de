import { expect, it } from "vitest";
import { Budget } from "./budget.ts";

it("allows a burst, and then so much per second", () => {
  const budget = new Budget({ burst: 3, perSecond: 2 }, 0);
  expect([0, 0, 0, 0].map((now) => budget.spend(now))).toEqual([true, true, true, false]);
  expect([1000, 1000, 1000].map((now) => budget.spend(now))).toEqual([true, true, false]);
});

it("never saves up more than the burst", () => {
  const budget = new Budget({ burst: 2, perSecond: 100 }, 0);
  expect([0, 0, 60_000, 60_000, 60_000].map((now) => budget.spend(now))).toEqual([true, true, true, true, false]);
});
