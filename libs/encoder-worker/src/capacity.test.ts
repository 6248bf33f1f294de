import { expect, it } from "vitest";
import { defaultSlots, threadsOfSlot } from "./capacity.ts";

const gibibyte = 2 ** 30;

it.each([
  [1, 8, 1],
  [2, 8, 1],
  [3, 8, 2],
  [4, 16, 2],
  [8, 16, 4],
  [64, 256, 32],
  // Memory is the narrower side.
  [2, 2, 1],
  [16, 4, 2],
  [4, 0.5, 1],
])("%i cores and %f GiB of memory are %i slots", (cores, gibibytes, slots) => {
  expect(defaultSlots(cores, gibibytes * gibibyte)).toBe(slots);
});

it.each([
  [2, 1, 0],
  [2, 2, 3],
  [64, 32, 3],
  [16, 4, 6],
])("on %i cores, each encoder in one of %i slots has %i threads", (cores, slots, threads) => {
  expect(threadsOfSlot(cores, slots)).toBe(threads);
});
