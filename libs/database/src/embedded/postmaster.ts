import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError } from "../database-error.ts";
import { explain } from "./explain.ts";
import type { LogFile } from "./log-file.ts";
import { childOptions, type RunAs } from "./run-child.ts";
import { watchOver } from "./watcher.ts";

/** A running Postgres. */
export type Postmaster = {
  /** Resolves when it ends, whatever ended it, with what is known about that. */
  exited: Promise<string>;
  /** Ends it within 5 s: connections are dropped, what was committed is kept. */
  stop(): Promise<void>;
};

export type PostmasterOptions = {
  postgres: string;
  args: readonly string[];
  fds: readonly number[];
  runAs: RunAs | undefined;
  log: LogFile;
  /** For messages. */
  folder: string;
  /** Rejects while the server doesn't take connections: with a DatabaseError if waiting won't help. */
  probe(): Promise<void>;
  signal?: AbortSignal | undefined;
};

const startTimeoutMs = 120_000; // recovery after a crash reads at most max_wal_size

/** Starts Postgres and waits until it takes connections; throws a DatabaseError with the end of its log when it doesn't. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  options.signal?.throwIfAborted();
  const child = spawn(options.postgres, options.args, {
    ...childOptions(options.runAs),
    stdio: ["ignore", "ignore", "pipe", ...options.fds],
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => options.log.write(text));
  const watcher = child.pid === undefined ? undefined : watchOver(child.pid, options.runAs);
  let ended: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(signal ? `ended by ${signal}` : `exit code ${code}`));
  }).then((how) => {
    ended = how;
    watcher?.dismiss();
    return how;
  });
  const postmaster: Postmaster = { exited, stop: () => stop(child, exited) };

  try {
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      options.signal?.throwIfAborted();
      if (ended !== undefined) throw new DatabaseError(failure(options, ended));
      try {
        await options.probe();
        return postmaster;
      } catch (error) {
        if (error instanceof DatabaseError) throw error;
        if (performance.now() > deadline) throw new DatabaseError(failure(options, "it takes no connections"));
      }
      await Promise.race([exited, sleep(15)]);
    }
  } catch (error) {
    await postmaster.stop();
    throw error;
  }
}

function failure({ log, folder }: PostmasterOptions, how: string): string {
  const lines = log.lastLines(12);
  const telling = lines.filter((line) => /FATAL|PANIC|ERROR|DETAIL|HINT/.test(line));
  const said = (telling.length > 0 ? telling : lines).slice(-3).join("; ");
  return explain(lines.join("\n"), folder) ?? `Postgres did not start (${how}): ${said} (more in ${log.path})`;
}

/** Fast shutdown, then immediate, then by force (https://www.postgresql.org/docs/18/server-shutdown.html). */
async function stop(child: ChildProcess, exited: Promise<string>): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    ["SIGINT", 3_000],
    ["SIGQUIT", 1_000],
    ["SIGKILL", 1_000],
  ];
  for (const [signal, patienceMs] of steps) {
    child.kill(signal);
    const patience = new AbortController();
    const gone = await Promise.race([
      exited.then(() => true),
      sleep(patienceMs, false, { signal: patience.signal }).catch(() => false),
    ]);
    patience.abort();
    if (gone) return;
  }
}
