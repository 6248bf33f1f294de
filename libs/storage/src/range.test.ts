import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRange } from "./range.ts";

const part = (start: number, end: number) => ({ kind: "part", range: { start, end } });
const whole = { kind: "whole" };
const unsatisfiable = { kind: "unsatisfiable" };

describe("parseRange", () => {
  it.each([
    ["bytes=0-499", 1000, part(0, 499)],
    ["bytes=500-", 1000, part(500, 999)],
    ["bytes=-200", 1000, part(800, 999)],
    ["bytes=-2000", 1000, part(0, 999)],
    ["bytes=990-2000", 1000, part(990, 999)],
    ["BYTES=0-0", 1, part(0, 0)],
    ["bytes= 1 - 2 ", 1000, part(1, 2)],
    ["bytes=1000-", 1000, unsatisfiable],
    ["bytes=1000-2000", 1000, unsatisfiable],
    ["bytes=-0", 1000, unsatisfiable],
    ["bytes=0-", 0, unsatisfiable],
    ["bytes=-5", 0, unsatisfiable],
    ["bytes=5-1", 1000, whole],
    ["bytes=0-1,5-6", 1000, whole],
    ["bytes=a-b", 1000, whole],
    ["bytes=--1", 1000, whole],
    ["lines=1-2", 1000, whole],
    ["bytes=", 1000, whole],
    ["bytes=-", 1000, whole],
    [undefined, 1000, whole],
  ])("%j of %i bytes", (header, bytes, expected) => {
    expect(parseRange(header, bytes)).toEqual(expected);
  });

  it("only ever gives ranges inside the object", () => {
    const header = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.bigInt({ min: 0n, max: 10n ** 30n }))
        .map(([a, b]) => `bytes=${a}-${b}`),
      fc.tuple(fc.nat(300), fc.nat(300)).map(([a, b]) => `bytes=${a}-${b}`),
      fc.nat(300).map((n) => `bytes=-${n}`),
    );
    fc.assert(
      fc.property(header, fc.nat(200), (text, bytes) => {
        const answer = parseRange(text, bytes);
        if (answer.kind !== "part") return;
        const { start, end } = answer.range;
        expect(Number.isSafeInteger(start) && Number.isSafeInteger(end)).toBe(true);
        expect(start >= 0 && start <= end && end < bytes).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
