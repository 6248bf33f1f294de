import { spawn } from "node:child_process";

/** How a command ended. */
export type Ended = {
  /** What it wrote, stdout and stderr as they came. */
  output: string;
  /** Undefined when it was ended by a signal, or by us for taking too long. */
  code: number | undefined;
};

/** What a command may do. */
export type CommandOptions = {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** After this it is ended, and so is all that it started. */
  milliseconds: number;
  /** Gets what it writes, as it comes. */
  echo?: (text: string) => void;
  signal?: AbortSignal;
};

/** What is kept of a command's words: their end, where the summary is. */
const longestOutput = 64 * 1024 * 1024;
const graceMs = 5_000;

/**
 * Runs a command in a process group of its own, which is gone when this settles. Rejects with Node's error (ENOENT …) when the command can't be started,
 * and with the signal's reason when that ends it.
 */
export async function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<Ended> {
  options.signal?.throwIfAborted();
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const hear = (chunk: string) => {
    output = (output + chunk).slice(-longestOutput);
    options.echo?.(chunk);
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);

  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      process.kill(-(child.pid ?? 0), signal);
    } catch {
      // All of them are gone.
    }
  };
  let killTimer: NodeJS.Timeout | undefined;
  const end = () => {
    signalGroup("SIGTERM");
    killTimer ??= setTimeout(() => signalGroup("SIGKILL"), graceMs);
  };
  const timer = setTimeout(end, options.milliseconds);
  options.signal?.addEventListener("abort", end);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      // Its streams end only when everything that it started has let go of them.
      child.once("close", resolve);
    });
    options.signal?.throwIfAborted();
    return { output, code: code ?? undefined };
  } finally {
    clearTimeout(timer);
    clearTimeout(killTimer);
    options.signal?.removeEventListener("abort", end);
    if (child.pid !== undefined) {
      signalGroup("SIGKILL");
    }
  }
}
