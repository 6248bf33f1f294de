import { readdir, readFile } from "node:fs/promises";
import { getPriority } from "node:os";
import { expect, it } from "vitest";
import { yieldToCalls } from "./yield-to-calls.ts";

it.runIf(process.platform === "linux")("threads that hash are nicer than the one that answers", async () => {
  const own = getPriority();
  await yieldToCalls();
  expect(getPriority()).toBe(own);
  const priorities: number[] = [];
  for (const thread of await readdir("/proc/self/task")) {
    const name = await readFile(`/proc/self/task/${thread}/comm`, "utf8");
    if (name.trim() === "libuv-worker") priorities.push(getPriority(Number(thread)));
  }
  expect(priorities).toEqual([1, 2, 3, 4].map(() => Math.min(own + 10, 19)));
});
