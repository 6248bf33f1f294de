import type { Outcome } from "./outcome.ts";

/** Failures beyond this aren't those of a machine that stood still for a moment. */
const mostToRepeat = 50;

/**
 * Which cases of a run to try once more: by name; none where all passed, or where so much failed that trying again would tell nothing; all (an empty list) where the
 * run broke off, or a program under test did not start or answer in the time that the suite gives it.
 */
export function casesToRepeat(outcome: Outcome | undefined): readonly string[] | undefined {
  if (outcome === undefined || outcome.notRun > 0 || outcome.failed.some(({ words }) => words.includes(notAnswered))) {
    return [];
  }
  const { failed } = outcome;
  return failed.length === 0 || failed.length > mostToRepeat ? undefined : failed.map(({ name }) => name);
}

// How the suite says that a server under test wasn't there after 10 s.
const notAnswered = "timed out waiting for result from server";

/** A run and the second try of some of its cases, as one. */
export function withSecondTry(first: Outcome, second: Outcome | undefined): Outcome {
  return second === undefined ? first : { ...second, passed: first.passed + second.passed };
}
