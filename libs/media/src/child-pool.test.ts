import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@kinora/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { dismissChildren } from "./child-pool.ts";
import { prepareChildren, runTask, type TaskOptions } from "./task.ts";
import { makeMedia } from "./testing/make-media.ts";
import { taskProcesses } from "./testing/task-processes.ts";
import type { MediaInfo } from "./types.ts";

const limits = { timeLimitMs: 60_000, noProgressMs: 30_000 };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let sourceUrl: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  sourceUrl = join(folder.path, "small.mp4");
  const video = { codec: "libx264", width: 160, height: 90, frameRate: { num: 25, den: 1 }, frames: 50 };
  await makeMedia({ path: sourceUrl, flash: [1, 1.2], video });
}, 60_000);
afterAll(() => folder.remove());

let children: AsyncDisposable;
beforeEach(() => {
  children = prepareChildren();
});
afterEach(() => children[Symbol.asyncDispose]());

/** A task, and the processes that are there when it has ended. */
async function probe(options: Partial<TaskOptions> = {}): Promise<{ media: MediaInfo; left: number[] }> {
  const signal = AbortSignal.timeout(60_000);
  const media = await runTask({ ...limits, signal, ...options, task: { kind: "probe", sourceUrl, whole: true } });
  return { media, left: await taskProcesses() };
}

const common = (...lists: number[][]) => lists.reduce((some, list) => some.filter((pid) => list.includes(pid)));

it("a video's tasks are done by one process, one after the other, as by processes of their own", async () => {
  const alone = await probe();
  const runs = [await probe({ video: "one" }), await probe({ video: "one" }), await probe({ video: "one" })];
  for (const { media } of runs) expect(media).toEqual(alone.media);
  // That process, and the one that stands ready.
  expect(common(...runs.map(({ left }) => left))).toHaveLength(2);
});

it("nobody else's task is done there", async () => {
  const [spare] = await taskProcesses();
  const first = await probe({ video: "one" });
  expect(first.left).toContain(spare);
  const used = spare ?? 0;
  await probe({ video: "two" });
  await probe();
  const signal = AbortSignal.timeout(60_000);
  // The one that it was waits for its own video still.
  const { left } = await probe({ video: "one", signal });
  expect(left).toContain(used);
});

it("a process that stands back does nothing that shouldn't", async () => {
  const back = await probe({ video: "one", niceness: 5 });
  const [used = 0] = back.left;
  const front = await probe({ video: "one" });
  expect(front.left.length).toBe(3);
  expect(front.left).toContain(used);
});

it("a task that fails or is cancelled takes its process with it, and those that wait for its video", async () => {
  const { left } = await probe({ video: "one" });
  const failing = probe({ video: "one", timeLimitMs: 1 });
  await expect(failing).rejects.toMatchObject({ kind: "machine" });
  const afterFailure = await taskProcesses();
  expect(common(left, afterFailure).length).toBeLessThan(left.length);

  const signal = AbortSignal.timeout(60_000);
  await Promise.all([probe({ video: "two", signal }), probe({ video: "two", signal })]);
  const cancelling = new AbortController();
  const cancelled = probe({ video: "two", signal: cancelling.signal });
  cancelling.abort();
  await expect(cancelled).rejects.toMatchObject({ kind: "cancelled" });
  await waitUntil("only the one that stands ready is left", async () => (await taskProcesses()).length === 1);
});

it("a process with more than its part of the memory does no other task", async () => {
  const { left } = await probe({ video: "one", memoryLimitBytes: 300 * 2 ** 20 });
  expect(left.length).toBeLessThanOrEqual(1);
});

it("processes wait for a moment only, and for as long as somebody keeps them", async () => {
  await probe({ video: "one" });
  await waitUntil("the one that did the task has gone", async () => (await taskProcesses()).length === 1);
  await probe({ video: "one" });
  await children[Symbol.asyncDispose]();
  expect(await taskProcesses()).toEqual([]);
  await probe({ video: "one" });
  expect(await taskProcesses()).toEqual([]);
  children = prepareChildren();
  dismissChildren("nobody's");
});
