import { describe, expect, it } from "vitest";
import { formatBitrate, formatBytes, formatDuration, formatFrameRate, formatPercent, formatTime } from "./format.ts";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [999_949, "999.9 kB"],
  [999_950, "1.0 MB"],
  [34_123_456, "34.1 MB"],
  [5_000_000_000, "5.0 GB"],
  [7_000_000_000_000_000, "7000.0 TB"],
  [-1, "0 B"],
])("formatBytes(%d) is %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it.each([
  [0, "0:00"],
  [59.4, "0:59"],
  [59.5, "1:00"],
  [725, "12:05"],
  [3723, "1:02:03"],
  [360_000, "100:00:00"],
  [-3, "0:00"],
])("formatDuration(%d) is %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

it.each([
  [0, "0 %"],
  [0.355, "35 %"],
  [0.9999, "99 %"],
  [1, "100 %"],
  [2, "100 %"],
  [-1, "0 %"],
])("formatPercent(%d) is %s", (fraction, text) => {
  expect(formatPercent(fraction)).toBe(text);
});

it.each([
  [128_000, "128 kbit/s"],
  [999_499, "999 kbit/s"],
  [999_500, "1.0 Mbit/s"],
  [4_512_000, "4.5 Mbit/s"],
])("formatBitrate(%d) is %s", (bits, text) => {
  expect(formatBitrate(bits)).toBe(text);
});

describe("formatFrameRate", () => {
  it.each([
    [24, 1, "24"],
    [30_000, 1001, "29.97"],
    [1, 0, "?"],
  ])("of %d/%d is %s", (num, den, text) => {
    expect(formatFrameRate({ num, den })).toBe(text);
  });
});

it("tells a moment in this machine's time zone", () => {
  expect(formatTime(new Date(2026, 0, 2, 3, 4, 5))).toBe("2026-01-02 03:04");
});
