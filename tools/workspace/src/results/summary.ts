import type { Report } from "./report.ts";

/** One suite of one project that has to report. */
export type Suite = {
  project: string;
  /** The step that runs it: "test", "e2e", "conformance". */
  step: string;
  /** Undefined when it left none, or one that can't be read. */
  report: Report | undefined;
};

export type Count = { passed: number; failed: number; skipped: number };
export type Summary = Count & { lines: string[] };

/**
 * Adds up every suite's tests. Whatever went wrong without a failed test to show for it counts as one failure, so that a sum without failures
 * means that everything ran and passed.
 * @param broken steps that ended with an error
 */
export function summarise(suites: readonly Suite[], broken: readonly string[]): Summary {
  const counted = suites.map((suite) => ({ ...suite, count: countOf(suite.report) }));
  const lines = counted.map(
    ({ project, step, report, count }) =>
      `${project} ${step}: ${report ? `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped` : "no report"}`,
  );
  for (const { project, step, report } of counted) {
    for (const failure of failuresOf(report)) lines.push(`FAILED ${project} ${step}: ${failure}`);
  }
  const unexplained = broken.filter((step) => !counted.some((suite) => suite.step === step && suite.count.failed > 0));
  for (const step of unexplained) lines.push(`${step}: ended with an error, though no test failed`);
  const sum = (key: keyof Count): number => counted.reduce((total, { count }) => total + count[key], 0);
  return { passed: sum("passed"), failed: sum("failed") + unexplained.length, skipped: sum("skipped"), lines };
}

// So much of what a test says as fits on a few lines: the end of a log is what people get to see.
const shownCharacters = 600;

/** What failed, and what it says. */
function failuresOf(report: Report | undefined): string[] {
  const files = report?.testResults ?? [];
  return files.flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults.filter((result) => result.status === "failed");
    if (tests.length === 0) return status === "failed" ? [`${name}: ${(message ?? "").slice(0, shownCharacters)}`] : [];
    return tests.map(
      ({ fullName = name, failureMessages = [] }) =>
        `${fullName}: ${failureMessages.join("; ").slice(0, shownCharacters)}`,
    );
  });
}

function countOf(report: Report | undefined): Count {
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const counts = report.testResults.map(({ status, assertionResults }) => {
    const ended = (...statuses: string[]): number =>
      assertionResults.filter((result) => statuses.includes(result.status)).length;
    const [passed, failed] = [ended("passed"), ended("failed")];
    return {
      passed,
      // A file that can't be loaded, or whose hooks fail, fails without a failed test.
      failed: failed === 0 && status === "failed" ? 1 : failed,
      skipped: assertionResults.length - passed - failed,
    };
  });
  const sum = (key: keyof Count): number => counts.reduce((total, count) => total + count[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}
