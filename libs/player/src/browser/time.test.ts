import { expect, it } from "vitest";
import { clock } from "./time.js";

it.each([
  [0, "0:00"],
  [7.9, "0:07"],
  [754, "12:34"],
  [3723, "1:02:03"],
  [-1, "0:00"],
  [Number.NaN, "0:00"],
  [Number.POSITIVE_INFINITY, "0:00"],
])("%d seconds are %s", (seconds, text) => {
  expect(clock(seconds)).toBe(text);
});
