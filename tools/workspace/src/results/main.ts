/**
 * `node main.ts --ran test,e2e [--broken test]` prints what every suite reported and, as the last line, "N passed, N failed".
 * Fails unless everything ran and passed.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { factFiles, factsOf } from "../inference/facts.ts";
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
    .filter((step) => (step === "e2e" ? facts.hasEndToEndTests : facts.hasTests))
    .map((step) => ({ project: facts.root, step, report: readReport(facts.root, step) })),
);
const { lines, passed, failed, skipped } = summarise(suites, list(values.broken));
for (const line of lines) console.log(line);
console.log(`${skipped} skipped in all.`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;

function readReport(project: string, suite: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(join(root, reportOf(project, suite)), "utf8"));
  } catch {
    return undefined;
  }
}
