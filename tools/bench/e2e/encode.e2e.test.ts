import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test("every part of the encode benchmark measures, and every target has a figure", { timeout: 600_000 }, async () => {
  const out = await mkdtemp(join(tmpdir(), "bench-e2e-"));
  onTestFinished(() => rm(out, { recursive: true }));
  const child = spawn(process.execPath, ["tools/bench/src/main.ts", "encode", "--quick", "--out", out], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect(code, output).toBe(0);
  const report = JSON.parse(await readFile(join(out, "encode.json"), "utf8"));
  expect(Object.keys(report.results)).toEqual(["ladder", "scale", "chunking", "per-title", "first"]);
  for (const target of report.targets) {
    expect(target).toMatchObject({ op: expect.stringMatching(/^[<>]=$/), must: expect.any(Number) });
  }
  // Without the ffmpeg command there is nothing to compare with in two of them.
  const measured = report.targets.filter(({ value }: { value: unknown }) => Number.isFinite(value));
  expect(measured.length).toBeGreaterThanOrEqual(3);
});
