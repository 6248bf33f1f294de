import { expect, it } from "vitest";
import { createLinePace } from "./line-pace.ts";

it.each<[string, [number, string, number][], boolean[]]>([
  ["the first one", [[0, "upload", 0]], [true]],
  [
    "a change",
    [
      [0, "upload", 0],
      [1, "queue", 0.2],
    ],
    [true, true],
  ],
  [
    "every 5 %",
    [
      [0, "upload", 0],
      [1_100, "upload", 0.04],
      [1_200, "upload", 0.05],
    ],
    [true, false, true],
  ],
  [
    "not twice a second",
    [
      [0, "upload", 0],
      [900, "upload", 0.5],
      [1_000, "upload", 0.5],
    ],
    [true, false, true],
  ],
  [
    "every ten seconds",
    [
      [0, "encode", 0.1],
      [9_999, "encode", 0.1],
      [10_000, "encode", 0.1],
    ],
    [true, false, true],
  ],
  [
    "falling back",
    [
      [0, "encode", 0.9],
      [2_000, "encode", 0.1],
    ],
    [true, true],
  ],
])("writes %s", (_, calls, expected) => {
  const pace = createLinePace();
  expect(calls.map((call) => pace.due(...call))).toEqual(expected);
});
