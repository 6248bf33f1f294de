/** Where a project's suite ("test" or "e2e") leaves Vitest's report, relative to the workspace. */
export function reportOf(root: string, suite: string): string {
  return `dist/test-results/${root}/${suite}.json`;
}

/** What we read of the report that Vitest's JSON reporter writes. */
export type Report = {
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string }[];
  }[];
};
