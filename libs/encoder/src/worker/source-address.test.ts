import { expect, it } from "vitest";
import { isNewAddressDue } from "./source-address.ts";

const context = { sourceUrlSeconds: 3600, storage: { signedSeconds: 7 * 24 * 3600 } } as Parameters<
  typeof isNewAddressDue
>[0];

it.each([
  [0, false],
  [5, false],
  [899, false],
  [900, true],
  [909, true],
  [910, false],
  [1_805, true],
  [2_700, true],
  [3_595, false],
  [80_000, false],
  [81_002, true],
])("a lease of %d s gets a new address: %s", (seconds, due) => {
  expect(isNewAddressDue(context, seconds)).toBe(due);
});

it("goes by what the storage can sign, if that is less", () => {
  const short = { ...context, storage: { ...context.storage, signedSeconds: 60 } };
  expect([14, 15, 24, 26, 30].map((seconds) => isNewAddressDue(short, seconds))).toEqual([
    false,
    true,
    true,
    false,
    true,
  ]);
});
