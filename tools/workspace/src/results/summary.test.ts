import { describe, expect, it } from "vitest";
import type { Report } from "./report.ts";
import { summarise } from "./summary.ts";

const file = (status: string, ...tests: string[]) => ({
  name: "a.test.ts",
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});
const suite = (project: string, report: Report | undefined, step = "test") => ({ project, step, report });
const good = suite("libs/a", {
  testResults: [file("passed", "passed", "passed"), file("passed", "passed", "skipped")],
});

describe("the sum of all suites", () => {
  it("counts tests", () => {
    const bad = suite("libs/b", { testResults: [file("failed", "passed", "failed", "todo")] });
    expect(summarise([good, bad], ["test"])).toEqual({
      passed: 4,
      failed: 1,
      skipped: 2,
      lines: [
        "libs/a test: 3 passed, 0 failed, 1 skipped",
        "libs/b test: 1 passed, 1 failed, 1 skipped",
        "FAILED libs/b test: a.test.ts: ",
      ],
    });
  });

  it.each([
    ["a suite that left no report", [good, suite("libs/b", undefined)], []],
    ["a file that couldn't be loaded", [good, suite("libs/b", { testResults: [file("failed")] })], ["test"]],
    ["a step that broke though its tests passed", [good], ["test"]],
    ["a step without suites that broke", [good], ["install"]],
  ])("counts %s as one failure", (_what, suites, broken) => {
    expect(summarise(suites, broken)).toMatchObject({ passed: 3, failed: 1 });
  });

  it("says last which tests failed, with the beginning of what they say", () => {
    const assertionResults = [
      { status: "failed", fullName: "a thing holds", failureMessages: [`expected 1 to be 2${"x".repeat(10_000)}`] },
      { status: "passed", fullName: "another thing" },
    ];
    const bad = suite("libs/b", {
      testResults: [
        { name: "b.test.ts", status: "failed", assertionResults },
        { name: "c.test.ts", status: "failed", message: "no such module", assertionResults: [] },
      ],
    });
    const { lines } = summarise([good, bad], ["test"]);
    expect(lines.slice(2)).toEqual([
      expect.stringMatching(/^FAILED libs\/b test: a thing holds: expected 1 to be 2x{500,600}$/),
      "FAILED libs/b test: c.test.ts: no such module",
    ]);
  });

  it("counts each step that broke on its own", () => {
    const bad = suite("apps/b", { testResults: [file("failed", "failed")] }, "e2e");
    expect(summarise([good, bad], ["test", "e2e"])).toMatchObject({ passed: 3, failed: 2 });
  });
});
