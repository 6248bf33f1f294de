import { spawn } from "node:child_process";
import { once } from "node:events";
import { repositoryRoot } from "./repository.ts";

/** How a process ended, and what it said. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string; ms: number };

/** A process under test. */
export type NodeProcess = {
  pid: number;
  /** Everything written to standard output and standard error so far. */
  output(): string;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** Resolves at the end, whatever ended it. */
  exit: Promise<Exit>;
};

/**
 * Starts a TypeScript file with the Node of this process.
 * @param file path below the repository's root, such as `apps/user/src/main.ts`
 * @param env variables on top of this process's own; `undefined` removes one
 */
export function startNode(
  file: string,
  options: { args?: string[]; env?: Record<string, string | undefined>; cwd?: string; input?: string } = {},
): NodeProcess {
  const started = performance.now();
  const child = spawn(process.execPath, [`${repositoryRoot}/${file}`, ...(options.args ?? [])], {
    cwd: options.cwd ?? repositoryRoot,
    env: { ...process.env, VITEST: undefined, NODE_OPTIONS: undefined, LOG_FORMAT: "json", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.stderr += text;
  });
  child.stdin.on("error", () => {}); // it may end without reading
  child.stdin.end(options.input ?? "");
  const exit = once(child, "close").then(([code, signal]) => ({
    code,
    signal,
    ...said,
    ms: performance.now() - started,
  }));
  if (child.pid === undefined) throw new Error(`Could not start ${file}.`);
  return {
    pid: child.pid,
    output: () => said.stdout + said.stderr,
    exit,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return exit;
    },
  };
}
