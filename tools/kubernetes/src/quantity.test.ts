import { expect, it } from "vitest";
import { wholeCores } from "./quantity.ts";

it.each([
  ["4", 4],
  ["1500m", 1],
  ["2.5", 2],
  ["250m", 1],
])("%s of CPU are %i cores", (cpu, cores) => {
  expect(wholeCores(cpu)).toBe(cores);
});

it("says what is wrong with anything else", () => {
  expect(() => wholeCores("four")).toThrow('"four" is no quantity of CPU');
});
