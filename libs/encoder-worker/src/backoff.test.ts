import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

const backoff = { baseMs: 200, maxMs: 5_000 };

describe("backoffMs", () => {
  it.each([
    [0, 0, 100],
    [0, 1, 200],
    [1, 1, 400],
    [4, 1, 3_200],
    [5, 1, 5_000],
    [5, 0, 2_500],
    [10_000, 1, 5_000],
  ])("after %i tries, with a random number of %d, waits %i ms", (tries, random, expected) => {
    expect(backoffMs(tries, backoff, () => random)).toBe(expected);
  });

  it("never waits longer than the maximum, nor less than half the base", () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (tries, random) => {
        const ms = backoffMs(tries, backoff, () => random);
        return ms >= 100 && ms <= 5_000;
      }),
    );
  });
});
