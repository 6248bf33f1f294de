/** Where a project's suite ("test", "e2e", "conformance") leaves its report, relative to the workspace. */
export function reportOf(root: string, suite: string): string {
  return `dist/test-results/${root}/${suite}.json`;
}

/** What we read of a report, in the form that Vitest's JSON reporter writes. */
export type Report = {
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName?: string; failureMessages?: string[] }[];
    /** Why the file couldn't be loaded. */
    message?: string;
  }[];
};
