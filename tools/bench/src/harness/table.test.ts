import { expect, test } from "vitest";
import { formatNumber, renderTable, targetTable } from "./table.ts";
import { atLeast, atMost } from "./target.ts";

test("columns are as wide as their widest cell, numbers to the right", () => {
  const text = renderTable({
    title: "Servers",
    columns: ["", "calls/s"],
    rows: [
      ["raw", "41,000"],
      ["ours, bare", "5"],
    ],
  });
  expect(text.split("\n")).toEqual([
    "Servers",
    "            calls/s",
    "──────────  ───────",
    "raw          41,000",
    "ours, bare        5",
  ]);
});

test.each([
  [0, "0.00"],
  [0.754, "0.75"],
  [12.345, "12.3"],
  [41234.5, "41,235"],
  [Number.NaN, "–"],
])("%d is written %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test("a target's row says what was measured, what must be, and which of them holds", () => {
  expect(targetTable([atLeast("speed", 0.8, 0.75, 0.9), atMost("failed calls", 2, 0)]).rows).toEqual([
    ["speed", "0.80", "≥ 0.75", "≥ 0.9", "holds"],
    ["failed calls", "2.00", "≤ 0", "", "FALLS SHORT"],
  ]);
});
