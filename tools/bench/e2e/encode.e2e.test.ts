import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { startBench } from "./support/start-bench.ts";

test("every part of the encode benchmark measures, and every target has a figure", { timeout: 600_000 }, async () => {
  const { child, out } = await startBench(["encode", "--quick"]);
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
