/** A case that failed, with the suite's words. */
export type FailedCase = { name: string; words: string };

/** What a run of the suite came to. */
export type Outcome = {
  passed: number;
  failed: FailedCase[];
  /** Cases that the suite meant to run and didn't, because a program under test had ended or didn't answer. */
  notRun: number;
};

const summary = /^Total cases: \d+\n(\d+) passed, (\d+) failed$/m;
const notRun = /^Another (\d+) could not be run /m;
const banner = "FAILED: ";

/** Reads what the suite prints; undefined if that doesn't end with its summary: it broke off. */
export function readOutcome(output: string): Outcome | undefined {
  const found = summary.exec(output);
  if (found === null) {
    return undefined;
  }
  const failed = readFailures(output);
  const outcome = { passed: Number(found[1]), failed, notRun: Number(notRun.exec(output)?.[1] ?? 0) };
  // Whatever the suite counts as failed and doesn't name counts as well.
  const unnamed = Math.max(0, Number(found[2]) - failed.length);
  return { ...outcome, notRun: outcome.notRun + unnamed };
}

/** A failure is a line with the case's name, and lines that begin with a tab. */
function readFailures(output: string): FailedCase[] {
  const failures: { name: string; words: string[] }[] = [];
  let open = false;
  for (const line of output.split("\n")) {
    if (line.startsWith(banner)) {
      failures.push({ name: line.slice(banner.length).replace(/:$/, ""), words: [] });
      open = true;
    } else if (open && line.startsWith("\t")) {
      failures.at(-1)?.words.push(line.slice(1));
    } else {
      open = false;
    }
  }
  return failures.map(({ name, words }) => ({ name, words: words.join("\n") }));
}

/** Whether everything that was to run has run and passed. */
export function isGreen(outcome: Outcome | undefined, expected: number | undefined): outcome is Outcome {
  return (
    outcome !== undefined &&
    outcome.failed.length === 0 &&
    outcome.notRun === 0 &&
    (expected === undefined ? outcome.passed > 0 : outcome.passed === expected)
  );
}
