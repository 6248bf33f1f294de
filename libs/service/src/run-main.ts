import { ConfigError } from "./config.ts";
import { explainSystemError } from "./system-error.ts";

/** A program. */
export type Program = {
  name: string;
  /** Starts everything; `signal` aborts when the process is asked to end while it still starts. */
  start(context: { env: NodeJS.ProcessEnv; signal: AbortSignal }): Promise<{ close(): Promise<void> }>;
};

/** Milliseconds that closing may take. */
const closeMs = 5_000;

/**
 * Milliseconds in which a second signal is the same Ctrl-C: a terminal sends it to every process of its group, and `npm` and `nx`, which are in that group, pass
 * theirs on to us.
 */
const sameSignalMs = 500;

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a program until SIGINT, SIGTERM or SIGHUP ends it, which it does within 5 s, with exit code 0; a second signal ends it at once. What keeps it from starting is
 * one line on standard error and exit code 1. Only `main.ts` calls this.
 */
export async function runMain(program: Program): Promise<void> {
  const stop = new AbortController();
  let running: { close(): Promise<void> } | undefined;
  let started = false;
  let stoppedAt: number | undefined;

  const end = async (exitCode: number) => {
    const timer = setTimeout(() => {
      print(program.name, `did not stop within ${closeMs / 1000} s; ended`);
      process.exit(1);
    }, closeMs);
    let code = exitCode;
    try {
      await running?.close();
    } catch (error) {
      print(program.name, `failed while it stopped: ${describe(error)}`);
      code = 1;
    }
    clearTimeout(timer);
    process.exit(code);
  };

  const onSignal = (signal: (typeof signals)[number]) => {
    const now = performance.now();
    if (stoppedAt === undefined) {
      stoppedAt = now;
      stop.abort(new Error(`stopped by ${signal}`));
      if (started) {
        void end(0);
      } else {
        // Whatever is starting sees the abort; if it doesn't, we don't wait for ever.
        setTimeout(() => process.exit(1), closeMs).unref();
      }
    } else if (now - stoppedAt > sameSignalMs) {
      process.exit(signal === "SIGINT" ? 130 : 143);
    }
  };
  for (const signal of signals) {
    process.on(signal, onSignal);
  }
  // The reader of our output may go first (a closed terminal, `| head`).
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});

  let crashed = false;
  const crash = (error: unknown) => {
    if (crashed) {
      return;
    }
    crashed = true;
    print(program.name, `crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    void end(1);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);

  try {
    running = await program.start({ env: process.env, signal: stop.signal });
    started = true;
  } catch (error) {
    if (stop.signal.aborted) {
      process.exit(0);
    }
    print(program.name, explainFailure(error));
    if (isDebugging()) {
      console.error(error);
    }
    process.exit(1);
  }
  if (stop.signal.aborted) {
    await end(0);
  }
}

/** Why a program didn't start, in one line that says what to do. */
export function explainFailure(error: unknown): string {
  // By name, as libraries below this one (the database) have an error of their own for it.
  if (error instanceof ConfigError || (error instanceof Error && error.name === "StartupError")) {
    return oneLine(error.message);
  }
  const explanation = explainSystemError(error);
  if (explanation !== undefined) {
    return oneLine(explanation);
  }
  const hint = isDebugging() ? "" : " (LOG_LEVEL=debug shows where it comes from)";
  return `could not start: ${describe(error)}${hint}`;
}

function describe(error: unknown): string {
  return oneLine(error instanceof Error ? error.message || error.name : String(error));
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}

function isDebugging(): boolean {
  return process.env.LOG_LEVEL === "debug" || process.env.LOG_LEVEL === "trace";
}

function print(name: string, message: string): void {
  process.stderr.write(`${name}: ${message}\n`);
}
