import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseLog, parseSummary } from "./h2load-output.ts";
import { connectionsFor, type Load, type LoadResult } from "./load.ts";

/** Runs h2load, on a core of its own if one is given. Rejects when it fails, or when the signal aborts. */
export async function runH2load(load: Load, core: number | undefined, signal: AbortSignal): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  try {
    const body = join(folder, "body");
    const log = join(folder, "log");
    await writeFile(body, load.body);
    const { connections, perConnection } = connectionsFor(load.http, load.inFlight);
    const command = [
      "h2load",
      ...(load.http === "1.1" ? ["--h1"] : []),
      `--requests=${load.calls}`,
      `--clients=${connections}`,
      `--max-concurrent-streams=${perConnection}`,
      // So that a window doesn't bound the answers: 16 MiB for the connection, 1 MiB for each call.
      "--window-bits=20",
      "--connection-window-bits=24",
      `--data=${body}`,
      `--log-file=${log}`,
      ...Object.entries(load.headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
      `http://127.0.0.1:${load.port}${load.path}`,
    ];
    const [program = "h2load", ...args] = core === undefined ? command : ["taskset", "-c", String(core), ...command];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], signal });
    const failed = new Promise<never>((_, reject) => child.once("error", reject));
    const output = await Promise.race([text(child.stdout), failed]);
    return { ...parseSummary(output), ...parseLog(await readFile(log, "utf8")) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
