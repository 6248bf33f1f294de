import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { repositoryRoot } from "@kinora/testing";

/** Bundles a program (its path in the repository) into `folder` as an image has it: `main.js`, and the programs that it starts. In a process of its own: the bundler is tools/deploy's, and so is its memory. */
export async function bundle(entry: string, folder: string, signal: AbortSignal): Promise<void> {
  const program = [
    `import { bundle } from ${JSON.stringify(join(repositoryRoot, "tools/deploy/src/image/bundle.ts"))};`,
    `await bundle(${[repositoryRoot, entry, folder].map((argument) => JSON.stringify(argument)).join(", ")});`,
  ].join("\n");
  const bundler = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "inherit", "inherit"],
    signal,
  });
  const [code] = await once(bundler, "exit");
  if (code !== 0) throw new Error(`${entry} couldn't be bundled`);
}
