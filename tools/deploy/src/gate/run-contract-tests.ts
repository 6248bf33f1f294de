import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import { DeployError } from "../deploy-error.ts";
import type { Service } from "../workspace/services.ts";

/** Contract tests of a service that calls the candidate. */
export type ContractTests = { caller: string; source: string; program: Uint8Array };

const startMs = 120_000;
const testsMs = 300_000;

/**
 * Starts the candidate from the working tree, on a free port and with an empty folder, and runs each program against it. A program finds it by PROVIDER_URL,
 * and its folder (where credentials may lie) by PROVIDER_DATA; exit code 0 means that the caller finds what it relies on.
 * @returns the problems, one for each program that failed
 * @throws DeployError when the candidate doesn't start
 */
export async function runContractTests(
  workspace: string,
  candidate: Service,
  tests: readonly ContractTests[],
  config: Config["behaviour"],
  signal: AbortSignal,
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "kinora-contract-"));
  const port = await freePort();
  const data = join(folder, "data");
  const provider = startProgram(
    join(workspace, candidate.root, "src/main.ts"),
    workspace,
    fill(config.env, port, data),
  );
  try {
    const url = `http://127.0.0.1:${port}`;
    await untilReady(new URL(config.ready, url), provider, candidate.name, signal);
    const problems: string[] = [];
    for (const [index, { caller, source, program }] of tests.entries()) {
      const file = join(folder, `tests-${index}.mjs`);
      await writeFile(file, program);
      const run = startProgram(file, workspace, { PROVIDER_URL: url, PROVIDER_DATA: data });
      const stop = AbortSignal.any([signal, AbortSignal.timeout(testsMs)]);
      const code = await ended(run, stop);
      if (signal.aborted) throw signal.reason;
      if (code !== 0)
        problems.push(
          `${caller} would break: its contract tests (${source}) fail against ${candidate.name}:\n${indent(run.output())}`,
        );
    }
    return problems;
  } finally {
    await stop(provider.child);
    await rm(folder, { recursive: true, force: true });
  }
}

type Program = { child: ChildProcess; output(): string };

/** How much of a program's output is kept, in characters. */
const keptOutput = 6000;

function startProgram(file: string, cwd: string, env: Record<string, string>): Program {
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

async function untilReady(url: URL, provider: Program, name: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + startMs;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    if (provider.child.exitCode !== null) break;
    const ready = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return;
    await sleep(100, undefined, { signal });
  }
  throw new DeployError(
    `${name} doesn't start for the contract tests of those who call it:\n${indent(provider.output())}`,
  );
}

async function ended({ child }: Program, signal: AbortSignal): Promise<number | null> {
  const onAbort = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once("close", resolve));
    }
    return child.exitCode;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  const killing = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await closed;
  clearTimeout(killing);
}

function fill(env: Readonly<Record<string, string>>, port: number, folder: string): Record<string, string> {
  const value = (text: string): string => text.replaceAll("{port}", String(port)).replaceAll("{folder}", folder);
  return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, value(text)]));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

const indent = (text: string): string => text.trim().replaceAll(/^/gm, "  ");
