import { describe, expect, it } from "vitest";
import { type SuiteRun, toReport } from "./report.ts";

const report = (run: Partial<SuiteRun>) => {
  const all = { passed: 2, failed: [], notRun: 0 };
  const [only] = toReport([{ mode: "server", outcome: all, expected: 2, ...run }]).testResults;
  const counts = Object.groupBy(only?.assertionResults ?? [], ({ status }) => status);
  return { status: only?.status, passed: counts.passed?.length ?? 0, failed: counts.failed?.length ?? 0 };
};

describe("the report", () => {
  it("has a test for each case", () => {
    expect(report({})).toEqual({ status: "passed", passed: 2, failed: 0 });
  });

  it("names what failed", () => {
    const outcome = { passed: 1, failed: [{ name: "Basic/unary", words: "wrong" }], notRun: 0 };
    const [only] = toReport([{ mode: "client", outcome, expected: 2 }]).testResults;
    expect(only).toMatchObject({
      name: "the conformance suite against the client",
      status: "failed",
      assertionResults: [{ status: "passed" }, { status: "failed", title: "Basic/unary", failureMessages: ["wrong"] }],
    });
  });

  it("counts cases that did not run as failed", () => {
    expect(report({ outcome: { passed: 1, failed: [], notRun: 1 } })).toEqual({
      status: "failed",
      passed: 1,
      failed: 1,
    });
  });

  it.each([
    ["broke off", { outcome: undefined }],
    ["was empty", { outcome: { passed: 0, failed: [], notRun: 0 }, expected: undefined }],
    ["had fewer cases than it should", { expected: 3 }],
  ])("fails without a failed test when the run %s", (_what, run) => {
    expect(report(run)).toMatchObject({ status: "failed", failed: 0 });
  });
});
