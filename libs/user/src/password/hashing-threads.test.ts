import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

// In a process of its own: a priority that was lowered can't be raised again.
const hashes = `
  import { readdirSync, readFileSync } from "node:fs";
  import { getPriority } from "node:os";
  import { createPasswordHasher } from ${JSON.stringify(new URL("./password-hasher.ts", import.meta.url))};
  const before = getPriority(process.pid);
  const hasher = createPasswordHasher({ concurrent: 1, queued: 1 }, { memoryCost: 1024, timeCost: 1, parallelism: 1 });
  await hasher.hash("seventeen swans went west", new AbortController().signal);
  const threads = readdirSync("/proc/self/task").map((thread) => ({
    name: readFileSync("/proc/self/task/" + thread + "/comm", "utf8").trim(),
    behind: getPriority(Number(thread)) - before,
  }));
  console.log(JSON.stringify(threads));
`;

it.runIf(process.platform === "linux")("hashes behind the event loop, and behind it alone", () => {
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", hashes], { encoding: "utf8" });
  const threads: { name: string; behind: number }[] = JSON.parse(output);
  const pool = threads.filter(({ name }) => name === "libuv-worker");
  expect(pool.length).toBeGreaterThan(0);
  const lowest = 19;
  for (const { behind } of pool) expect(behind).toBeGreaterThan(0);
  for (const { name, behind } of threads) {
    if (name !== "libuv-worker") expect({ name, behind }).toEqual({ name, behind: 0 });
  }
  expect(Math.max(...threads.map(({ behind }) => behind))).toBeLessThanOrEqual(lowest);
});
