import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { DeployError } from "../deploy-error.ts";
import { findService, type Service } from "../workspace/services.ts";
import { ended, freePort, isReadyIn, type Program, startProgram, stop } from "./program.ts";

/** Contract tests of a service that calls the candidate. */
export type ContractTests = { caller: string; source: string; program: Uint8Array };

const startMs = 120_000;
const testsMs = 300_000;

/**
 * Starts the candidate from the working tree, on a free port and with an empty folder, after the services that it needs beside it, and runs each program against it. A program finds
 * it by PROVIDER_URL, its folder (where credentials may lie) by PROVIDER_DATA, and the others by the names by which the candidate does; exit code 0 means that the caller finds what
 * it relies on.
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
  const data = join(folder, "data");
  const running: Program[] = [];
  const start = async (service: Service, beside: Record<string, string>): Promise<string> => {
    const port = await freePort();
    const env = { ...fill(config.env, port, data), ...beside };
    const program = startProgram(join(workspace, service.root, "src/main.ts"), workspace, env);
    running.unshift(program);
    const url = `http://127.0.0.1:${port}`;
    if (await isReadyIn(startMs, new URL(config.ready, url), program, signal)) return url;
    throw new DeployError(
      `${service.name} doesn't start for the contract tests of those who call ${candidate.name}:\n${indent(program.output())}`,
    );
  };
  try {
    const beside: Record<string, string> = {};
    for (const [variable, name] of Object.entries(config.beside[candidate.name] ?? {})) {
      beside[variable] = await start(findService(workspace, name), {});
    }
    const url = await start(candidate, beside);
    const problems: string[] = [];
    for (const [index, { caller, source, program }] of tests.entries()) {
      const file = join(folder, `tests-${index}.mjs`);
      await writeFile(file, program);
      const run = startProgram(file, workspace, { ...beside, PROVIDER_URL: url, PROVIDER_DATA: data });
      const code = await ended(run, AbortSignal.any([signal, AbortSignal.timeout(testsMs)]));
      signal.throwIfAborted();
      if (code !== 0)
        problems.push(
          `${caller} would break: its contract tests (${source}) fail against ${candidate.name}:\n${indent(run.output())}`,
        );
    }
    return problems;
  } finally {
    for (const program of running) await stop(program);
    await rm(folder, { recursive: true, force: true });
  }
}

function fill(env: Readonly<Record<string, string>>, port: number, folder: string): Record<string, string> {
  const value = (text: string): string => text.replaceAll("{port}", String(port)).replaceAll("{folder}", folder);
  return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, value(text)]));
}

const indent = (text: string): string => text.trim().replaceAll(/^/gm, "  ");
