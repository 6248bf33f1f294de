#!/usr/bin/env node
import { homedir } from "node:os";
import { exitCode, Interrupted } from "./errors.ts";
import { run } from "./run.ts";

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (interrupt.signal.aborted) process.exit(exitCode.interrupted); // asked a second time
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
