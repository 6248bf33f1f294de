/** From the release before to this working tree, in one order; `npm run upgrade-test` goes through all of them. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { previousCommit } from "../src/version.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));

/** A clone without history has no release before. */
const there = ((): boolean => {
  try {
    return previousCommit(workspace, undefined) !== "";
  } catch (error) {
    console.warn(`Skipped: ${error instanceof Error ? error.message : error}`);
    return false;
  }
})();

it.skipIf(!there)("no call fails and no encode is lost when the encoder goes first", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/upgrade/src/main.ts", "--first", "encoder"], {
    cwd: workspace,
    encoding: "utf8",
    timeout: 1_100_000,
    // npm would leave its cache in the temporary folder.
    env: { ...process.env, VITEST: undefined, NODE_DISABLE_COMPILE_CACHE: "1" },
  });
  expect(status, stdout + stderr).toBe(0);
});
