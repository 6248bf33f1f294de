import { expect, test } from "vitest";
import { atLeast, atMost, holds } from "./target.ts";

test.each([
  [atLeast("ratio", 0.75, 0.75), true],
  [atLeast("ratio", 0.749, 0.75), false],
  [atMost("failed calls", 0, 0), true],
  [atMost("failed calls", 1, 0), false],
  // Not measured is not reached.
  [atLeast("ratio", Number.NaN, 0.75), false],
  [atMost("ratio", Number.NaN, 3), false],
])("%j: %s", (target, expected) => {
  expect(holds(target)).toBe(expected);
});
