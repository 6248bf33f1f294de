import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** Starts `npm run bench` with these arguments; its reports go to the folder `out`, which lasts as long as the test. */
export async function startBench(
  args: string[],
): Promise<{ child: ChildProcessByStdio<null, Readable, null>; out: string }> {
  const out = await mkdtemp(join(tmpdir(), "bench-e2e-"));
  onTestFinished(() => rm(out, { recursive: true }));
  const child = spawn(process.execPath, ["tools/bench/src/main.ts", ...args, "--out", out], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { child, out };
}
