import { describe, expect, it } from "vitest";
import { isGreen, readOutcome } from "./outcome.ts";

const green = `Computed 1044 config case permutations.
Running 496 tests with reference client for server config {HTTP_VERSION_1, PROTOCOL_CONNECT, TLS:false}...

Total cases: 496
496 passed, 0 failed
`;

const red = `something on stderr
FAILED: Basic/HTTPVersion:1/TLS:true/unary/success:
	received an unexpected error:
	code:CODE_UNAVAILABLE  message:"a: b"
---- HTTP Trace ----
	a line of the trace
--------------------
FAILED: Errors/HTTPVersion:2/unknown:
	expecting an error but received none

Total cases: 3
1 passed, 2 failed
`;

const crashed = `${red.replace("1 passed, 2 failed\n", "0 passed, 2 failed\n")}Another 6461 could not be run due to client timing out or exiting prematurely.
`;

describe("what the suite prints", () => {
  it("is read: all passed", () => {
    expect(readOutcome(green)).toEqual({ passed: 496, failed: [], notRun: 0 });
  });

  it("is read: failures, by name and with the suite's words", () => {
    expect(readOutcome(red)).toEqual({
      passed: 1,
      failed: [
        {
          name: "Basic/HTTPVersion:1/TLS:true/unary/success",
          words: 'received an unexpected error:\ncode:CODE_UNAVAILABLE  message:"a: b"',
        },
        { name: "Errors/HTTPVersion:2/unknown", words: "expecting an error but received none" },
      ],
      notRun: 0,
    });
  });

  it("is read: cases that couldn't be run", () => {
    expect(readOutcome(crashed)).toMatchObject({ passed: 0, notRun: 6461 });
  });

  it("is read: failures without a name", () => {
    expect(readOutcome("\nTotal cases: 2\n0 passed, 2 failed\n")).toEqual({ passed: 0, failed: [], notRun: 2 });
  });

  it.each(["", "go: command not found\n", red.slice(0, red.indexOf("Total cases"))])(
    "is nothing without a summary: %j",
    (output) => {
      expect(readOutcome(output)).toBeUndefined();
    },
  );
});

describe("a run", () => {
  const all = { passed: 5, failed: [], notRun: 0 };

  it.each([
    ["all passed", all, 5],
    ["some were asked for and passed", all, undefined],
  ])("is green: %s", (_what, outcome, expected) => {
    expect(isGreen(outcome, expected)).toBe(true);
  });

  it.each([
    ["it broke off", undefined, 5],
    ["one failed", { ...all, failed: [{ name: "a", words: "" }] }, undefined],
    ["one didn't run", { ...all, notRun: 1 }, 5],
    ["there were fewer cases than there should be", all, 6],
    ["there were none", { ...all, passed: 0 }, undefined],
  ])("isn't green: %s", (_what, outcome, expected) => {
    expect(isGreen(outcome, expected)).toBe(false);
  });
});
