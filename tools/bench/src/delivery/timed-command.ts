import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

/** Runs a command in a workspace, with that workspace's own tools and without Nx's daemon, and returns its seconds. Rejects when it fails, with the end of what it said. */
export function timedCommand(workspace: string, command: readonly string[], signal: AbortSignal): Promise<number> {
  const [program = "", ...args] = command;
  const bin = join(workspace, "node_modules/.bin");
  const env = {
    ...process.env,
    PATH: [bin, process.env.PATH].join(delimiter),
    NX_DAEMON: "false",
    NX_WORKSPACE_ROOT_PATH: workspace,
    // Set by those who run us, and meant for them.
    NX_BASE: undefined,
    NX_HEAD: undefined,
  };
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: workspace, env, signal, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(-4000);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve((performance.now() - started) / 1000);
      else reject(new Error(`${command.join(" ")} ended with exit code ${code}:\n${said}`));
    });
  });
}
