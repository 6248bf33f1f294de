import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { startBench } from "./support/start-bench.ts";

test("every part of the rpc benchmark measures, and every target has a figure", async () => {
  const { child, out } = await startBench(["rpc", "--quick"]);
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect(code, output).toBe(0);
  const report = JSON.parse(await readFile(join(out, "rpc.json"), "utf8"));
  expect(Object.keys(report.results)).toEqual([
    "server",
    "server-1kB",
    "server-100kB",
    "http1",
    "stream",
    "client",
    "boundary",
    "restart",
    "overload",
    "slow-backend",
    "memory",
  ]);
  const names = report.targets.map(({ name }: { name: string }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(20);
  for (const target of report.targets) {
    expect(target).toMatchObject({ op: expect.stringMatching(/^[<>]=$/), must: expect.any(Number) });
  }
});

test("Ctrl-C ends it and every process that it started", async () => {
  const { child } = await startBench(["rpc", "--quick", "--only", "server,memory"]);
  // The first table's heading shows that servers run.
  await once(child.stdout, "data");
  child.stdout.resume();
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  expect(code).toBe(1);
  // Whatever it left behind would fail this run: tools/workspace/src/testing/leftovers.ts.
});

test("without a name it lists what there is", async () => {
  const { child } = await startBench([]);
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect(code).toBe(0);
  expect(output).toContain("rpc: ");
  expect(output).toContain("--only overload");
});
