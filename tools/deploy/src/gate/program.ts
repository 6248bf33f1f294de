import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A program of Node that runs beside this one. */
export type Program = { child: ChildProcess; output(): string };

/** How much of a program's output is kept, in characters. */
const keptOutput = 6000;

/** Starts a program's file with this environment, and nothing more of ours than what is harmless. */
export function startProgram(file: string, cwd: string, env: Record<string, string>): Program {
  const child = spawn(process.execPath, [file], {
    cwd,
    env: { ...harmless(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-keptOutput);
    });
  }
  return { child, output: () => output };
}

/** Nothing else of our environment: it may name a real database, and real credentials. */
function harmless(): NodeJS.ProcessEnv {
  const names = ["PATH", "HOME", "TMPDIR", "LANG", "TZ"];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** Waits until an address answers 200; false when the program has ended or `patienceMs` are over. */
export async function isReadyIn(
  patienceMs: number,
  url: URL,
  { child }: Program,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline && !hasEnded(child)) {
    signal.throwIfAborted();
    const ready = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return true;
    await sleep(100, undefined, { signal });
  }
  return false;
}

/** Waits for a program's end, which `signal` hastens. Its exit code is null if it was killed. */
export async function ended({ child }: Program, signal: AbortSignal): Promise<number | null> {
  const onAbort = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    if (!hasEnded(child)) await new Promise((resolve) => child.once("close", resolve));
    return child.exitCode;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Asks a program to end, and makes it end after a while. */
export async function stop({ child }: Program): Promise<void> {
  if (hasEnded(child)) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  const killing = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await closed;
  clearTimeout(killing);
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** A port that nobody listens on just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
