import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Conditions, Part } from "./benchmark.ts";
import { readMachine } from "./machine.ts";
import { runBenchmark } from "./run-benchmark.ts";
import { atLeast } from "./target.ts";

const good: Part = {
  name: "good",
  about: "measures",
  run: async () => ({ targets: [atLeast("speed", 0.5, 0.75)], results: { figure: 0.5 } }),
};
const broken: Part = { name: "broken", about: "can't measure", run: () => Promise.reject(new Error("no such tool")) };

async function run(parts: Part[], only: string[] = [], signal = new AbortController().signal) {
  const folder = await mkdtemp(join(tmpdir(), "bench-test-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const conditions: Conditions = {
    machine: readMachine(),
    quick: true,
    rounds: 1,
    serverCore: undefined,
    loadCore: undefined,
    signal,
    note: () => {},
    show: () => {},
  };
  const report = await runBenchmark({ name: "example", about: "", parts }, only, conditions, folder);
  return { report, written: JSON.parse(await readFile(join(folder, "example.json"), "utf8")) };
}

test("the report has the machine, results and targets; a target that isn't reached is no failure", async () => {
  const { report, written } = await run([good]);
  expect(written.machine.node).toBe(process.version);
  expect(written.results).toEqual({ good: { figure: 0.5 } });
  expect(written.targets).toEqual([{ name: "speed", value: 0.5, op: ">=", must: 0.75 }]);
  expect(report.failures).toEqual([]);
});

test("a part that could not measure is a failure and doesn't stop the others", async () => {
  const { report } = await run([broken, good]);
  expect(report.failures).toMatchObject([{ part: "broken", error: expect.stringContaining("no such tool") }]);
  expect(report.targets).toHaveLength(1);
});

test("only the parts that were asked for run", async () => {
  const { report } = await run([broken, good], ["good"]);
  expect(report.failures).toEqual([]);
  expect(Object.keys(report.results)).toEqual(["good"]);
});

test("a signal ends it", async () => {
  const aborted: Part = { ...broken, run: () => Promise.reject(new Error("cut off")) };
  await expect(run([aborted, good], [], AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
});
