import { type SpawnOptions, spawn } from "node:child_process";

/** The user that Postgres runs as when it isn't the user of this process. */
export type RunAs = { uid: number; gid: number };

/** A finished program. `code` is `null` when a signal ended it. */
export type Finished = { code: number | null; output: string };

/**
 * Nothing of this process's environment reaches Postgres: it may hold secrets, and PG* variables would change what it does.
 * The session is its own, so that Ctrl-C in a terminal doesn't stop the database before those who still use it.
 */
export function childOptions(runAs: RunAs | undefined): SpawnOptions {
  return {
    cwd: "/",
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
    detached: true,
    ...(runAs ?? {}),
  };
}

/**
 * Runs a short program to its end and keeps the last 16 kB of what it says.
 * @param fds inherited by the program as its descriptors 3, 4, …
 * @throws the spawn error (EACCES, ENOENT, EPERM…), the signal's reason, or a TimeoutError
 */
export async function runChild(
  command: string,
  args: readonly string[],
  options: { runAs?: RunAs | undefined; fds?: readonly number[]; signal?: AbortSignal | undefined; timeoutMs: number },
): Promise<Finished> {
  const stop = AbortSignal.any([AbortSignal.timeout(options.timeoutMs), ...(options.signal ? [options.signal] : [])]);
  stop.throwIfAborted();
  const child = spawn(command, args, {
    ...childOptions(options.runAs),
    stdio: ["ignore", "pipe", "pipe", ...(options.fds ?? [])],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-16_384);
    });
  }
  return new Promise((resolve, reject) => {
    const kill = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL"); // the whole group: initdb runs postgres
      } catch {
        // It has just ended.
      }
    };
    stop.addEventListener("abort", kill, { once: true });
    child.once("error", (error) => {
      stop.removeEventListener("abort", kill);
      reject(error);
    });
    child.once("close", (code) => {
      stop.removeEventListener("abort", kill);
      if (stop.aborted) reject(stop.reason);
      else resolve({ code, output });
    });
  });
}
