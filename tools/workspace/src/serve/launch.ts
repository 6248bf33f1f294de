/**
 * Started by startApart: starts Node with its own arguments in a session of its own, hands over descriptor 3, says its process id and goes.
 * What it started then belongs to the system's first process instead of to Nx's tree.
 */
import { spawn } from "node:child_process";

const program = spawn(process.execPath, process.argv.slice(2), {
  detached: true,
  stdio: ["ignore", "inherit", "inherit", 3],
});
program.unref();
process.send?.(program.pid, () => process.disconnect?.());
