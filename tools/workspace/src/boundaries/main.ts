/** `boundaries` target: prints every import that crosses a boundary and fails if there is one, or if it can't tell. */
import { fileURLToPath } from "node:url";
import { findViolations } from "./check.ts";
import { readWorkspace } from "./read-workspace.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

try {
  const workspace = await readWorkspace(root);
  const violations = findViolations(workspace);
  for (const { message, files } of violations) {
    console.error([message, ...files.map((file) => `    ${file}`)].join("\n"));
  }
  const seen = `${workspace.projects.length} projects, ${workspace.edges.length} edges, ${workspace.imports.length} imports`;
  if (violations.length > 0) console.error(`\n${violations.length} boundaries are crossed (${seen}).`);
  else console.log(`No boundary is crossed (${seen}).`);
  process.exitCode = violations.length > 0 ? 1 : 0;
} catch (error) {
  console.error("The Nx project graph can't be computed, so no boundary can be checked.");
  console.error(error);
  process.exitCode = 1;
}
