import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Contract } from "./contract.ts";
import { fingerprint } from "./fingerprint.ts";
import { statementsModule } from "./statements.ts";

/**
 * Generates a contract's library with buf, unless what is there came from the same inputs.
 * That look takes milliseconds, so `npm start` can do it every time without Nx.
 * @returns whether buf ran
 * @throws with buf's own words when the contract is wrong; with ours when a method doesn't state who may call it
 */
export async function generate(workspace: string, contract: Contract): Promise<boolean> {
  const stamp = join(workspace, "libs/proto", contract.name, "gen/.fingerprint");
  const wanted = fingerprint(workspace, contract);
  if (readIfThere(stamp) === wanted) return false;
  const bin = join(workspace, "node_modules/.bin");
  const run = spawnSync(join(bin, "buf"), ["generate", "--template", `buf.gen.${contract.name}.yaml`], {
    cwd: join(workspace, "proto"),
    env: { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) },
    encoding: "utf8",
    timeout: 120_000,
  });
  if (run.error) throw new Error(`buf can't be run (${run.error.message}). Run npm ci first.`);
  if (run.status !== 0) throw new Error(`proto/${contract.name}: buf generate failed.\n${run.stdout}${run.stderr}`);
  const { accessFaults, readStatements } = await import("./access.ts"); // which takes longer to load than all the rest
  const statements = readStatements(workspace, contract);
  const faults = accessFaults(statements);
  if (faults.length > 0) throw new Error(faults.join("\n"));
  if (statements.length > 0) {
    const module = join(workspace, "libs/proto", contract.name, "gen/statements.ts");
    writeFileSync(module, statementsModule(contract, statements));
  }
  // Last, and inside the folder that buf empties first: half-made code never has a stamp.
  writeFileSync(stamp, wanted);
  return true;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
