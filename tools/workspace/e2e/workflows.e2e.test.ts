/** GitHub's workflows, by the linter that knows them best. It is a program in Go, as the conformance suite is. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));
const actionlint = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";
const hasGo = spawnSync("go", ["version"]).status === 0;
if (!hasGo) console.warn("Skipped: actionlint needs Go, which isn't here.");

it.skipIf(!hasGo)("actionlint finds nothing in the workflows", () => {
  const bin = mkdtempSync(join(tmpdir(), "actionlint-"));
  try {
    const env = { ...process.env, GOBIN: bin, GOFLAGS: "-mod=mod" };
    const installed = spawnSync("go", ["install", actionlint], { encoding: "utf8", env });
    expect(installed.status, installed.stderr).toBe(0);
    const { status, stdout, stderr } = spawnSync(join(bin, "actionlint"), ["-no-color"], {
      cwd: workspace,
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  } finally {
    rmSync(bin, { recursive: true, force: true });
  }
});
