import type { FailedCase, Outcome } from "./outcome.ts";

/** One run of the suite: against the server, or against the client. */
export type SuiteRun = {
  mode: string;
  /** Undefined when it broke off. */
  outcome: Outcome | undefined;
  /** Cases that there should have been; undefined where only some were asked for. */
  expected: number | undefined;
};

/** The part of Vitest's JSON report that is read to count tests. */
export type Report = {
  testResults: {
    name: string;
    status: "passed" | "failed";
    assertionResults: { status: "passed" | "failed"; title?: string; failureMessages?: string[] }[];
  }[];
};

/** The runs in the form in which all suites of this repository report. A run that broke off, or had other cases than expected, has failed without a failed test. */
export function toReport(runs: readonly SuiteRun[]): Report {
  return {
    testResults: runs.map(({ mode, outcome, expected }) => {
      const failed: FailedCase[] = [
        ...(outcome?.failed ?? []),
        ...Array.from({ length: outcome?.notRun ?? 0 }, () => ({ name: "a case", words: "did not run" })),
      ];
      const passed = outcome?.passed ?? 0;
      const whole = outcome !== undefined && (expected ?? passed + failed.length) === passed + failed.length;
      return {
        name: `the conformance suite against the ${mode}`,
        status: whole && passed > 0 && failed.length === 0 ? "passed" : "failed",
        assertionResults: [
          ...Array.from({ length: passed }, () => ({ status: "passed" as const })),
          ...failed.map(({ name, words }) => ({ status: "failed" as const, title: name, failureMessages: [words] })),
        ],
      };
    }),
  };
}
