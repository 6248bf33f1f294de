/** `serve` target: runs an app and restarts it on change, until a signal comes; then the app closes in its own way. */
import { startApart } from "./apart.ts";

const main = process.argv[2];
if (main === undefined) {
  console.error("Say which file to run: node tools/workspace/src/serve/main.ts apps/user/src/main.ts");
  process.exit(2);
}

const program = await startApart(["--watch", "--watch-preserve-output", main], {
  // Nx reads the output through a pipe, but a person reads it in the end.
  LOG_FORMAT: "pretty",
  ...process.env,
});

let stopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // Terminals, npm and Nx may each pass on the same Ctrl-C.
    if (stopping) return;
    stopping = true;
    program.stop();
  });
}
await program.ended;
process.exitCode = stopping ? 0 : 1;
