import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getPriority } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sampleVideo, temporaryFolder, waitUntil } from "@kinora/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { dismissChildren, keepChild, takeChild } from "./child-pool.ts";
import { planEncode } from "./plan/plan-encode.ts";
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
  const video = { codec: "libx264", width: 160, height: 90, frameRate: { num: 25, den: 1 } };
  const options = { preset: "ultrafast", g: 100, keyint_min: 100, sc_threshold: 0 };
  await makeMedia({ path: sourceUrl, flash: [1, 1.2], video: { ...video, frames: 500, options } });
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

/** A task of a video that lasts until it is disposed of. */
async function lasting(video: string): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const task = { kind: "probe", sourceUrl: `http://127.0.0.1:${port}/` } as const;
  const reading = runTask({ ...limits, signal: stop.signal, video, task });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await expect(reading).rejects.toMatchObject({ kind: "cancelled" });
      server.closeAllConnections();
      server.close();
    },
  };
}

it("nobody else's task is done there, nor one that it stands back too far for", async () => {
  const child = takeChild("one", 5);
  const taken = [child];
  const take = (video: string | undefined, niceness: number) => {
    const other = takeChild(video, niceness);
    taken.push(other);
    return other;
  };
  try {
    child.niceness = 5;
    expect(keepChild(child, "one")).toBe(true);
    for (const video of ["two", "", undefined]) expect(take(video, 5)).not.toBe(child);
    expect(take("one", 4)).not.toBe(child);
    expect(take("one", 5)).toBe(child);
    expect(take("one", 5)).not.toBe(child);
  } finally {
    for (const { process } of taken) process.kill("SIGKILL");
  }
});

it("a process that has come to stand back by itself does nothing that shouldn't either", async ({ signal }) => {
  const probing = { kind: "probe", sourceUrl: sampleVideo } as const;
  const { plan } = planEncode(await runTask({ ...limits, signal, task: probing }), { segmentSeconds: 1 });
  if (!plan?.audio) throw new Error("There is no sound.");
  const { audio, segmentSeconds } = plan;
  await using out = await temporaryFolder("kinora-media-");
  // Behind its beginning, sound lets pictures go first.
  const task = {
    kind: "audio",
    sourceUrl: sampleVideo,
    audio,
    segmentSeconds,
    startSeconds: 0,
    outDir: out.path,
  } as const;
  await runTask({ ...limits, signal, video: "one", task });
  const priorities = (pids: number[]) => pids.map((pid) => getPriority(pid) - getPriority()).sort((a, b) => a - b);
  expect(priorities(await taskProcesses())).toEqual([0, 15]);
  expect(priorities((await probe({ video: "one" })).left)).toEqual([0, 0, 15]);
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

it("a process waits while another one is at a task of its video", async ({ signal }) => {
  await using _ = await lasting("one");
  const { left } = await probe({ video: "one" });
  await sleep(2_500, undefined, { signal });
  expect(await taskProcesses()).toEqual(left);
});

it("a chunk made by one thread waits for the process of the one before, which has only files left; not for as long as those may take", async ({
  signal,
}) => {
  const probing = { kind: "probe", sourceUrl } as const;
  const { plan } = planEncode(await runTask({ ...limits, signal, task: probing }), { segmentSeconds: 10 });
  if (!plan?.video) throw new Error("There is no video.");
  const { video } = plan;
  await using out = await temporaryFolder("kinora-media-");
  const chunk = {
    index: 0,
    startPts: 0n,
    segmentPts: [0n],
    firstSegment: 1,
    frameCount: 500,
    firstFrame: 0,
    sceneChange: false,
  };
  const task = { kind: "encode-chunk", sourceUrl, chunk, video, qualityStride: 0, outDir: out.path } as const;
  const encode = (options: Partial<TaskOptions>) =>
    runTask({ ...limits, signal, video: "one", threads: 1, ...options, task });
  /** Two chunks, the second one begun as the first one drains, whose last files take so long; and the processes that are left. */
  const two = async (takeFiles: (second: Promise<unknown>) => Promise<unknown>) => {
    const drains = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<unknown>();
    const first = encode({ onDraining: drains.resolve, onFile: async () => void (await takeFiles(begun.promise)) });
    await drains.promise;
    const second = encode({});
    begun.resolve(second);
    await Promise.all([first, second]);
    return taskProcesses();
  };
  // The one that stands ready is there as well.
  expect(await two(() => sleep(50))).toHaveLength(2);
  await children[Symbol.asyncDispose]();
  children = prepareChildren();
  // The first one has its files taken only when the second one has ended.
  expect(await two((second) => Promise.race([second, sleep(10_000)]))).toHaveLength(3);
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
