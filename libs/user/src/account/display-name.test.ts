import { describe, expect, it } from "vitest";
import { displayNameFault, normalizeDisplayName } from "./display-name.ts";

describe("displayNameFault", () => {
  it.each([
    ["Ada Lovelace", undefined],
    ["李", undefined],
    ["👩‍👩‍👧 family", undefined],
    ["x".repeat(200), undefined],
    ["👍".repeat(200), undefined],
    ["x".repeat(201), /at most 200/],
    ["👍".repeat(201), /at most 200/],
    ["", /visible/],
    ["\u00A0\u2003\u3000", /visible/],
    ["\u200B\u200D\uFEFF", /visible/],
    ["\u3164", /visible/], // Hangul filler
    ["\u2800", /visible/], // Braille blank
    ["Ada\0", /control/],
    ["Ada\nLovelace", /control/],
    ["\u202Egnp.exe", /control/],
    ["\uD800", /control/],
  ])("%j", (name, expected) => {
    const fault = displayNameFault(name);
    if (expected === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(expected);
  });
});

describe("normalizeDisplayName", () => {
  it.each([
    ["  Ada \u3000", "Ada"],
    ["\u00A0Ada\uFEFF", "Ada"],
    ["Zoe\u0308", "Zoë"],
  ])("%j → %j", (name, expected) => {
    expect(normalizeDisplayName(name)).toBe(expected);
  });
});
