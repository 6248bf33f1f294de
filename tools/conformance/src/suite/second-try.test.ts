import { describe, expect, it } from "vitest";
import { casesToRepeat, withSecondTry } from "./second-try.ts";

const failures = (count: number, words = "wrong") =>
  Array.from({ length: count }, (_, i) => ({ name: `case ${i}`, words }));

describe("a second try", () => {
  it("is for the cases that failed", () => {
    expect(casesToRepeat({ passed: 5, failed: failures(2), notRun: 0 })).toEqual(["case 0", "case 1"]);
  });

  it.each([
    ["nothing failed", { passed: 5, failed: [], notRun: 0 }],
    ["much failed", { passed: 5, failed: failures(51), notRun: 0 }],
  ])("isn't made where %s", (_what, outcome) => {
    expect(casesToRepeat(outcome)).toBeUndefined();
  });

  it.each([
    ["broke off", undefined],
    ["left cases out", { passed: 5, failed: [], notRun: 1 }],
    [
      "waited in vain for a server to start",
      {
        passed: 5,
        failed: failures(300, "error reading server response: timed out waiting for result from server"),
        notRun: 0,
      },
    ],
  ])("is for all cases where the run %s", (_what, outcome) => {
    expect(casesToRepeat(outcome)).toEqual([]);
  });

  it("adds up with the first", () => {
    const first = { passed: 5, failed: failures(2), notRun: 0 };
    const second = { passed: 1, failed: failures(1), notRun: 0 };
    expect(withSecondTry(first, second)).toEqual({ passed: 6, failed: failures(1), notRun: 0 });
    expect(withSecondTry(first, undefined)).toBe(first);
  });
});
