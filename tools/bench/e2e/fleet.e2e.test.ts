import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { startBench } from "./support/start-bench.ts";

test("every part of the fleet benchmark measures, and no call fails", { timeout: 300_000 }, async () => {
  const { child, out } = await startBench(["fleet", "--quick"]);
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect(code, output).toBe(0);
  const report = JSON.parse(await readFile(join(out, "fleet.json"), "utf8"));
  expect(report.failures).toEqual([]);
  expect(Object.keys(report.results)).toEqual(["workers-1000", "workers-5000", "cancel"]);
  expect(report.results["workers-1000"]).toMatchObject({ faults: 0, repeated: 0 });
  expect(report.results["workers-1000"].completed).toBeGreaterThan(0);
});
