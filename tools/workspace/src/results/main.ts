/**
 * `node main.ts --ran test,e2e,conformance [--broken test]` prints what every suite reported and, as the last line, "N passed, N failed".
 * Fails unless everything ran and passed.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { factFiles, factsOf, type ProjectFacts } from "../inference/facts.ts";
import { type Report, reportOf } from "./report.ts";
import { type Suite, summarise } from "./summary.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const { values } = parseArgs({
  options: { ran: { type: "string", default: "" }, broken: { type: "string", default: "" } },
});
const list = (text: string): string[] => text.split(",").filter((word) => word !== "");

const files = globSync(factFiles, { cwd: root, exclude: (path) => path === "node_modules" });
const suites: Suite[] = factsOf(files).flatMap((facts) =>
  list(values.ran)
    .filter((step) => reportsIn(facts, step))
    .map((step) => ({ project: facts.root, step, report: readReport(facts.root, step) })),
);
const { lines, passed, failed, skipped } = summarise(suites, list(values.broken));
for (const line of lines) console.log(line);
console.log(`${skipped} skipped in all.`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;

/** Whether a project has a suite in this step. A step other than the two of Vitest is a tool of that name, which writes its report by itself. */
function reportsIn(facts: ProjectFacts, step: string): boolean {
  switch (step) {
    case "test":
      return facts.hasTests;
    case "e2e":
      return facts.hasEndToEndTests;
    default:
      return facts.root === `tools/${step}`;
  }
}

function readReport(project: string, suite: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(join(root, reportOf(project, suite)), "utf8"));
  } catch {
    return undefined;
  }
}
