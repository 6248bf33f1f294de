#!/usr/bin/env node
import { homedir } from "node:os";
import { exitCode, Interrupted } from "./errors.ts";
import { run } from "./run.ts";

/**
 * Milliseconds in which a second signal is the same Ctrl-C: a terminal sends it to every process of its group, and npx, which is in that
 * group, passes its own on to us.
 */
const sameSignalMs = 500;

const interrupt = new AbortController();
let interruptedAt = Number.POSITIVE_INFINITY;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (performance.now() - interruptedAt > sameSignalMs) process.exit(exitCode.interrupted); // asked a second time
    interruptedAt = Math.min(interruptedAt, performance.now());
    interrupt.abort(new Interrupted(""));
  });
}
// A reader that goes away (`kinora list | head -1`) is no error worth telling.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCode.ok);
    throw error;
  });
}

const code = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupt.signal,
});
// Idle connections would keep the process for seconds; what was written goes out first.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
