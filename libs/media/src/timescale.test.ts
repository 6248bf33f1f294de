import { expect, it } from "vitest";
import { timescaleFor } from "./timescale.ts";

it.each([
  [{ num: 1, den: 12_288 }, 12_288],
  [{ num: 1, den: 90_000 }, 90_000],
  [{ num: 1, den: 1000 }, 1000],
  [{ num: 1, den: 24 }, 24 * 42],
  [{ num: 1001, den: 24_000 }, 24_000],
  [{ num: 1, den: 1_000_000_000 }, 90_000],
  [{ num: 0, den: 1 }, 90_000],
])("the timescale for units of %o is %i", (timeBase, timescale) => {
  expect(timescaleFor(timeBase)).toBe(timescale);
});
