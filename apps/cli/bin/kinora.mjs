#!/usr/bin/env node
// Plain JavaScript that a very old Node can read: it finds a Node that runs the TypeScript behind it, or says what is missing.
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(realpathSync(fileURLToPath(import.meta.url)));

if (Number(process.versions.node.split(".")[0]) >= 24) {
  // Starts faster from the second run on. In a folder of the person's own: what others could write there would be run.
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  module.enableCompileCache(join(cache, "kinora"));
  await import("../src/main.ts");
} else {
  const own = nodeOfTheProject();
  if (own === undefined || process.env.KINORA_REEXECUTED) {
    process.stderr.write(
      `kinora needs Node 24 or newer, and this is ${process.version}: run "npm ci" in its folder, then "npx kinora".\n`,
    );
    process.exitCode = 1;
  } else {
    handOver(own);
  }
}

/** The Node that `npm ci` installs with the project. */
function nodeOfTheProject() {
  for (let folder = here; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Runs the same command with another Node. Signals of the terminal reach it by themselves; others are passed on. */
function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, KINORA_REEXECUTED: "1" },
  });
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`kinora could not start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = signal ? 1 : code;
  });
}
