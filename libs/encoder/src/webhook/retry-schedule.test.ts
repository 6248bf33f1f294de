import { expect, it } from "vitest";
import { mostAttempts, nextAttemptIn } from "./retry-schedule.ts";

it("tries for a day, ever less often", () => {
  const waits = Array.from({ length: mostAttempts - 1 }, (_, index) => nextAttemptIn(index + 1, undefined, 0.5) ?? 0);
  const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3600;
  expect(hours).toBeGreaterThan(23);
  expect(hours).toBeLessThan(24.5);
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(nextAttemptIn(mostAttempts, undefined, 0.5)).toBeUndefined();
});

it("waits longer where the receiver asks for it, within reason", () => {
  expect(nextAttemptIn(1, 60, 0.5)).toBe(60);
  expect(nextAttemptIn(1, 1_000_000, 0.5)).toBe(3600);
  expect(nextAttemptIn(8, 60, 0)).toBeCloseTo(14_400 * 0.9);
});
