import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { DeployError } from "../deploy-error.ts";

const run = promisify(execFile);
const timeoutMs = 60_000;

/** All contracts of the workspace as descriptors, without comments. @throws DeployError with buf's own words */
export async function buildContracts(workspace: string, folder: string, signal?: AbortSignal): Promise<Uint8Array> {
  const args = ["build", "--exclude-source-info", "-o", "-#format=binpb"];
  return buf(workspace, args, { cwd: resolve(workspace, folder), signal });
}

/** A finding of `buf breaking`: what in the newer contract fails those who were built with the older one. */
export type Finding = { rule: string; message: string };

/**
 * Callers speak binary or JSON, and call by name: WIRE_JSON (WIRE is in it) lets a deleted method or service through, so these are named.
 * Stricter than that (PACKAGE, FILE) is about generated code, which running programs don't share.
 */
const rules = ["WIRE", "WIRE_JSON", "RPC_NO_DELETE", "PACKAGE_SERVICE_NO_DELETE"];

/**
 * How `candidate` breaks callers that were built with `against`. Both are descriptor sets. Files below the folders `ignore` don't count: they are fixed by
 * those who own them, and generators carry them in forms of their own.
 * @throws DeployError when buf can't compare them
 */
export async function findBreaking(
  workspace: string,
  candidate: Uint8Array,
  against: Uint8Array,
  ignore: readonly string[],
  signal?: AbortSignal,
): Promise<Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), "kinora-deploy-"));
  try {
    await writeFile(join(folder, "candidate.binpb"), candidate);
    await writeFile(join(folder, "against.binpb"), against);
    const config = JSON.stringify({ version: "v2", breaking: { use: rules } });
    const args = ["breaking", "candidate.binpb", "--against", "against.binpb", "--error-format", "json"];
    const output = await buf(workspace, [...args, "--config", config, "--against-config", config], {
      cwd: folder,
      signal,
      findings: true,
    });
    return Buffer.from(output)
      .toString()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { path?: string; type: string; message: string })
      .filter(({ path }) => !ignore.includes(path?.split("/")[0] ?? ""))
      .map(({ type, message }) => ({ rule: type, message }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** buf's exit code when it found something, as opposed to when it couldn't look. */
const foundSomething = 100;

async function buf(
  workspace: string,
  args: string[],
  { cwd, signal, findings }: { cwd: string; signal?: AbortSignal | undefined; findings?: boolean },
): Promise<Uint8Array> {
  const bin = join(workspace, "node_modules/.bin");
  try {
    const { stdout } = await run(join(bin, "buf"), args, {
      cwd,
      encoding: "buffer",
      timeout: timeoutMs,
      maxBuffer: 64 << 20,
      env: { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) },
      ...(signal && { signal }),
    });
    return stdout;
  } catch (error) {
    const failed = error as { code?: number | string; stdout?: Buffer; stderr?: Buffer; message: string };
    if (findings && failed.code === foundSomething) return failed.stdout ?? new Uint8Array();
    if (signal?.aborted) throw error;
    if (failed.code === "ENOENT") throw new DeployError("buf isn't installed here. Run npm ci first.");
    const words = `${failed.stdout ?? ""}${failed.stderr ?? ""}`.trim() || failed.message;
    throw new DeployError(`buf ${args[0]} failed: ${words.slice(0, 2000)}`);
  }
}
