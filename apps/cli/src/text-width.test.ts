import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { padTo, printable, textWidth, truncate } from "./text-width.ts";

describe("printable", () => {
  it.each([
    ["holiday.mp4", "holiday.mp4"],
    ["a\x1b[2Jb", "a [2Jb"],
    ["two\r\nlines", "two lines"],
    ["gpj.\u202eexe", "gpj. exe"],
    ["\u009b31mred", " 31mred"],
  ])("makes %j safe", (text, safe) => {
    expect(printable(text)).toBe(safe);
  });
});

it.each([
  ["video", 5],
  ["映画", 4],
  ["🎬 clip", 7],
  ["e\u0301", 1],
  ["", 0],
])("%j takes %i cells", (text, width) => {
  expect(textWidth(text)).toBe(width);
});

it.each([
  ["short", 10, "short"],
  ["exactly-10", 10, "exactly-10"],
  ["longer-than-10", 10, "longer-th…"],
  ["映画映画", 5, "映画…"],
  ["映画映画", 4, "映…"],
  ["any", 0, ""],
])("truncates %j to %i cells as %j", (text, width, cut) => {
  expect(truncate(text, width)).toBe(cut);
});

it("never gives more cells than asked for, and pads to exactly as many", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(40), (raw, width) => {
      const cut = truncate(printable(raw), width);
      expect(textWidth(cut)).toBeLessThanOrEqual(width);
      expect(textWidth(padTo(cut, width))).toBe(width);
    }),
  );
});
