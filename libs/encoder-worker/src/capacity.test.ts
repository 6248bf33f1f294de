import type { MediaTask } from "@kinora/media/task";
import { expect, it } from "vitest";
import { defaultSlots, threadsOf } from "./capacity.ts";

const gibibyte = 2 ** 30;

it.each([
  [1, 8, 1],
  [2, 8, 2],
  [4, 16, 4],
  [64, 256, 64],
  // Memory is the narrower side.
  [2, 2, 1],
  [16, 4, 2],
  [4, 0.5, 1],
])("%i cores and %f GiB of memory are %i slots", (cores, gibibytes, slots) => {
  expect(defaultSlots(cores, gibibytes * gibibyte)).toBe(slots);
});

const chunk = (index: number) => ({ kind: "encode-chunk", chunk: { index } }) as MediaTask;

it.each([
  { cores: 1, slots: 1, first: 1, later: 1 },
  { cores: 2, slots: 1, first: 0, later: 0 },
  { cores: 2, visible: 64, slots: 1, first: 3, later: 3 },
  { cores: 2, slots: 2, first: 3, later: 1 },
  { cores: 4, slots: 8, first: 6, later: 1 },
  { cores: 64, slots: 64, first: 12, later: 1 },
  // A slot has several cores.
  { cores: 64, slots: 32, first: 3, later: 3 },
  { cores: 16, slots: 4, first: 6, later: 6 },
])("$slots slots on $cores cores: $first threads for the first chunk, $later for a later one", (machine) => {
  expect(threadsOf(chunk(0), machine)).toBe(machine.first);
  expect(threadsOf(chunk(1), machine)).toBe(machine.later);
});

it("gives a task that was tried twice one thread, wherever it is tried again", () => {
  for (const slots of [1, 2, 4]) {
    expect(threadsOf(chunk(0), { cores: 4, slots }, 2)).not.toBe(1);
    expect(threadsOf(chunk(0), { cores: 4, slots }, 3)).toBe(1);
  }
});

it("gives a whole stream in one task what the first chunk has", () => {
  expect(threadsOf({ kind: "encode" } as MediaTask, { cores: 4, slots: 4 })).toBe(6);
});
