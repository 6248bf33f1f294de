import { spawn } from "node:child_process";
import { childOptions, type RunAs } from "./run-child.ts";

/** Watches over the end of this process. */
export type Watcher = { dismiss(): void };

/**
 * Stops Postgres when this process ends, however it ends: a shell reads from a pipe that nobody writes to, and goes on
 * when the kernel closes our end of it. Without this, Postgres would stay behind after a `kill -9`. Should the shell be
 * killed as well, the next start finds and stops what was left (leftovers.ts).
 */
export function watchOver(postmasterPid: number, runAs: RunAs | undefined): Watcher {
  const shell = spawn(
    "/bin/sh",
    ["-c", 'read -r _; kill -INT "$1"', "kinora-postgres-watcher", String(postmasterPid)],
    {
      ...childOptions(runAs),
      stdio: ["pipe", "ignore", "ignore"],
    },
  );
  shell.on("error", () => {}); // no shell: then only the next start helps
  shell.stdin?.on("error", () => {});
  shell.unref();
  return {
    dismiss() {
      // Killed, not told: the number may soon belong to another process.
      shell.kill("SIGKILL");
    },
  };
}
