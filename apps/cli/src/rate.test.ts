import { expect, it } from "vitest";
import { createRate } from "./rate.ts";

it("measures growth over its window", () => {
  const rate = createRate(5_000);
  expect(rate.perSecond()).toBe(0);
  rate.add(0, 0);
  expect(rate.perSecond()).toBe(0);
  rate.add(1_000, 100);
  expect(rate.perSecond()).toBe(100);
  rate.add(2_000, 200);
  for (let second = 3; second <= 12; second++) rate.add(second * 1_000, 200 + (second - 2) * 1_000);
  expect(rate.perSecond()).toBe(1_000);
});

it("starts over when the count falls", () => {
  const rate = createRate();
  rate.add(0, 5_000);
  rate.add(1_000, 100);
  expect(rate.perSecond()).toBe(0);
  rate.add(2_000, 300);
  expect(rate.perSecond()).toBe(200);
});
