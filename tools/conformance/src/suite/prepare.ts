import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type GoOptions, installSuite, requireGo, suiteSource, suiteVersion } from "./go.ts";
import { runCommand } from "./run-command.ts";

/** What a run of the suite needs. */
export type Prepared = { program: string; descriptors: string };

/**
 * Builds the suite and its contract below dist/, unless they are there. Throws with what to do about it.
 * @param root the workspace
 */
export async function prepare(root: string, options: Omit<GoOptions, "cwd">): Promise<Prepared> {
  const folder = join(root, "dist/conformance", suiteVersion);
  mkdirSync(folder, { recursive: true });
  const program = join(folder, "connectconformance");
  const descriptors = join(folder, "contract.binpb");
  const go = { ...options, cwd: folder };
  if (!existsSync(program)) {
    await requireGo(go);
    options.echo?.(`Building the conformance suite ${suiteVersion} …\n`);
    await installSuite(folder, go);
  }
  if (!existsSync(descriptors)) {
    await requireGo(go);
    const source = await suiteSource(go);
    const bin = join(root, "node_modules/.bin");
    const buf = await runCommand(
      join(bin, "buf"),
      ["build", join(source, "proto"), "--as-file-descriptor-set", "--output", descriptors],
      { ...go, env: { ...options.env, PATH: [bin, options.env.PATH].join(delimiter) }, milliseconds: 120_000 },
    );
    if (buf.code !== 0) {
      throw new Error(`The suite's contract can't be compiled.\n${buf.output}`);
    }
  }
  return { program, descriptors };
}
