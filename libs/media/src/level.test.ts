import { expect, it } from "vitest";
import { h264Level } from "./level.ts";

const rate = (num: number, den = 1) => ({ num, den });

it.each([
  // Size and rate decide; figures of table A-1.
  [1920, 1080, rate(30), 6e6, 40],
  [1920, 1080, rate(24_000, 1001), 6e6, 40],
  [1920, 1080, rate(60), 9e6, 42],
  [1920, 1080, rate(120), 12e6, 51],
  [1920, 1080, rate(240), 12e6, 52],
  [1080, 1920, rate(30), 6e6, 40],
  [1280, 720, rate(30), 3.4e6, 31],
  [1280, 720, rate(60), 5e6, 32],
  [854, 480, rate(25), 1.6e6, 30],
  [854, 480, rate(30), 1.6e6, 31],
  [640, 360, rate(30), 9e5, 30],
  [426, 240, rate(30), 5e5, 21],
  [160, 120, rate(15), 5e5, 13],
  // The bit rate decides.
  [426, 240, rate(30), 20e6, 40],
  // A thin picture's long side decides.
  [4000, 16, rate(1), 1e5, 40],
  // Beyond the table.
  [8192, 8192, rate(300), 1e9, 62],
])("%i×%i at %o and %i bit/s needs level %i", (width, height, frameRate, maxBitrate, level) => {
  expect(h264Level({ width, height, frameRate, maxBitrate, bufferBits: maxBitrate * 1.5 })).toBe(level);
});
