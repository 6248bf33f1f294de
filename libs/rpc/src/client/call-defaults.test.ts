import { describe, expect, it } from "vitest";
import { callTimeout } from "./call-defaults.ts";

describe("callTimeout", () => {
  it.each([
    // asked, default, remaining, expected
    [undefined, undefined, undefined, undefined],
    [undefined, 10_000, undefined, 10_000],
    [500, 10_000, undefined, 500],
    [0, 10_000, undefined, undefined],
    [undefined, 10_000, 700.2, 701],
    [500, 10_000, 700.2, 500],
    [0, 10_000, 700.2, 701],
    [undefined, undefined, 0.3, 1],
    [undefined, 0, undefined, undefined],
    [undefined, 0, 700.2, 701],
    [500, 0, undefined, 500],
  ])("asked %s, default %s, left %s: %s", (asked, fallback, remaining, expected) => {
    expect(callTimeout(asked, fallback, remaining)).toBe(expected);
  });

  it("fails when nothing is left", () => {
    expect(() => callTimeout(500, 10_000, 0)).toThrow(/out of time/);
  });
});
