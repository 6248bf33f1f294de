import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { sampleVideo, temporaryFolder, waitUntil } from "@kinora/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { planEncode } from "./plan/plan-encode.ts";
import { type EncodeTask, runTask, type TaskOptions } from "./task.ts";
import { makeMedia } from "./testing/make-media.ts";
import { taskProcesses } from "./testing/task-processes.ts";
import type { EncodePlan, StreamResult } from "./types.ts";

const limits = { timeLimitMs: 60_000, noProgressMs: 30_000 };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let small: string;
let smallPlan: EncodePlan;
let samplePlan: EncodePlan;

async function planOf(sourceUrl: string): Promise<EncodePlan> {
  const signal = AbortSignal.timeout(60_000);
  const { plan, refusal } = planEncode(
    await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl, whole: true } }),
  );
  if (!plan) throw new Error(refusal);
  return plan;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  small = join(folder.path, "small.mp4");
  const video = { codec: "libx264", width: 320, height: 180, frameRate: { num: 25, den: 1 }, frames: 50 };
  const audio = { codec: "aac", sampleRate: 48_000, channels: 2, seconds: 2 };
  await makeMedia(
    { path: small, flash: [1, 1.2], video, audio },
    // More than one part of a reading over HTTP.
    { path: join(folder.path, "large.mkv"), flash: [1, 1.2], video: { ...video, codec: "rawvideo", frames: 75 } },
  );
  smallPlan = await planOf(small);
  samplePlan = await planOf(sampleVideo);
}, 60_000);
afterAll(() => folder.remove());

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/source`;
}

const serveFile =
  (path: string): RequestListener =>
  async (request, response) => {
    const { size } = await stat(path);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const [start, end] = [Number(range?.[1]), Math.min(Number(range?.[2]), size - 1)];
    response.writeHead(206, { "content-range": `bytes ${start}-${end}/${size}` });
    createReadStream(path, { start, end }).pipe(response);
  };

async function newFolder(): Promise<string> {
  const made = await temporaryFolder();
  cleanups.push(made.remove);
  return made.path;
}

/** Encodes the small video, unless told otherwise, into a folder of its own. */
async function encode(changes: Partial<EncodeTask>, options: Partial<TaskOptions> = {}): Promise<StreamResult> {
  const signal = AbortSignal.timeout(60_000);
  const outDir = changes.outDir ?? (await newFolder());
  const task: EncodeTask = { kind: "encode", sourceUrl: small, plan: smallPlan, outDir, ...changes };
  return runTask({ ...limits, signal, task, ...options });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A bigint becomes a number, so that both ends may compare it and a script's source may hold it. */
const serialise = (value: unknown) =>
  JSON.stringify(value, (_, field) => (typeof field === "bigint" ? Number(field) : field));
const withoutBytes = (result: unknown) =>
  JSON.parse(serialise(result), (key, value) => (/^(initBytes|bytes|keyFrameBytes)$/.test(key) ? 0 : value));

describe("a task", () => {
  it("reads over HTTP what it reads from a file, with the same result", async () => {
    const sourceUrl = await serve(serveFile(small));
    expect(await planOf(sourceUrl)).toEqual(smallPlan);
    const fromFile = await encode({});
    const overHttp = await encode({ sourceUrl });
    // With a cap and several threads x264 counts on what its other threads have written so far: lengths differ by a few bytes.
    expect(withoutBytes(overHttp)).toEqual(withoutBytes(fromFile));
  });

  it("reports progress that rises to the end", async () => {
    const told: { frames: number; fraction: number; speed: number }[] = [];
    await encode({ sourceUrl: sampleVideo, plan: samplePlan }, { onProgress: (progress) => told.push(progress) });
    expect(told.length).toBeGreaterThan(2);
    expect(told.every(({ fraction }, index) => fraction >= (told[index - 1]?.fraction ?? 0) && fraction <= 1)).toBe(
      true,
    );
    expect(told.at(-1)?.speed).toBeGreaterThan(0);
    expect(told.at(-1)?.frames).toBeGreaterThan(0);
  });

  it("never looks at a file again after handing it over, and leaves nothing else", async () => {
    const outDir = await newFolder();
    const paths: string[] = [];
    const onFile = async (path: string) => {
      paths.push(path);
      await rm(join(outDir, path));
    };
    await encode({ outDir, plan: { ...smallPlan, segmentSeconds: 0.4 } }, { onFile });
    expect(paths).toContain("180p/5.m4s");
    const left = await readdir(outDir, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });

  it("waits while too many files wait to be taken, and goes on afterwards", async () => {
    const waiting: (() => void)[] = [];
    let isFree = false;
    const options = {
      ...limits,
      signal: AbortSignal.timeout(60_000),
      task: {
        kind: "encode",
        sourceUrl: small,
        plan: { ...smallPlan, segmentSeconds: 0.04 },
        outDir: await newFolder(),
      },
      onFile: () => (isFree ? undefined : new Promise<void>((resolve) => waiting.push(resolve))),
    } as const satisfies TaskOptions & { task: EncodeTask };
    const changeable: { noProgressMs: number } = options;
    const encoding = runTask(options);
    await waitUntil("64 files wait", () => waiting.length >= 64);
    // From here on nothing moves, but waiting for the caller is none of the task's fault.
    changeable.noProgressMs = 100;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    changeable.noProgressMs = limits.noProgressMs;
    expect(waiting.length).toBeLessThan(64 + 5);
    isFree = true;
    for (const resolve of waiting) resolve();
    const result = await encoding;
    expect(result.video[0]?.segments).toHaveLength(50);
  });
});

it("finds the encoders that work here by having each make a picture", async ({ signal }) => {
  const families = await runTask({ ...limits, signal, task: { kind: "families" } });
  expect(families[0]).toBe("cpu");
});

describe("a task ends", () => {
  it("with its process when it is cancelled", async () => {
    const controller = new AbortController();
    const encoding = encode(
      { sourceUrl: sampleVideo, plan: samplePlan },
      { signal: controller.signal, onProgress: () => controller.abort() },
    );
    await expect(encoding).rejects.toMatchObject({ name: "TaskError", kind: "cancelled" });
    expect(await taskProcesses()).toEqual([]);
  });

  it("at once when it is cancelled before it begins", async () => {
    await expect(encode({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "cancelled" });
  });

  it.each<[string, Partial<TaskOptions>, RegExp]>([
    ["after its time", { timeLimitMs: 300 }, /longer than 0.3 s/],
    ["when it needs too much memory", { memoryLimitBytes: 20 * 2 ** 20 }, /more than 20 MiB of memory/],
    [
      "when a file can't be stored",
      { onFile: () => Promise.reject(new Error("the disk is full")) },
      /could not be stored: the disk is full/,
    ],
  ])("%s, by the machine's fault", async (_, options, message) => {
    const encoding = encode({ sourceUrl: sampleVideo, plan: samplePlan }, options);
    await expect(encoding).rejects.toMatchObject({ kind: "machine" });
    await expect(encoding).rejects.toThrow(message);
    expect(await taskProcesses()).toEqual([]);
  });

  it("when nothing moves any more", async () => {
    const sourceUrl = await serve(() => {});
    const encoding = encode({ sourceUrl }, { noProgressMs: 500 });
    await expect(encoding).rejects.toMatchObject({ kind: "machine", message: expect.stringMatching(/stood still/) });
  });

  it("when its output grows too large, by the input's fault", async () => {
    const encoding = encode({}, { outputLimitBytes: 3000 });
    await expect(encoding).rejects.toMatchObject({ kind: "input", message: expect.stringMatching(/larger/) });
  });

  it.each([
    ["SIGSEGV", "crash"],
    ["SIGABRT", "crash"],
    ["SIGKILL", "machine"],
  ] as const)("when its process dies by %s, as a fault of kind %s", async (signal, kind) => {
    const encoding = encode({ sourceUrl: sampleVideo, plan: samplePlan }, { onProgress: async () => kill(signal) });
    await expect(encoding).rejects.toMatchObject({ kind, message: expect.stringContaining(signal) });
  });

  it("as the machine's fault when the source goes away meanwhile", async () => {
    const large = join(folder.path, "large.mkv");
    const sourceUrl = await serve((request, response) => {
      if (request.headers.range?.startsWith("bytes=0-")) serveFile(large)(request, response);
      else response.writeHead(403).end();
    });
    const signal = AbortSignal.timeout(60_000);
    const probing = runTask({ ...limits, signal, task: { kind: "probe", sourceUrl, whole: true } });
    await expect(probing).rejects.toMatchObject({ kind: "machine", message: expect.stringMatching(/answers 403/) });
  });

  it("as the machine's fault when the plan doesn't fit the source", async () => {
    const video = smallPlan.video && { ...smallPlan.video, streamIndex: 7 };
    await expect(encode({ plan: { ...smallPlan, video } })).rejects.toMatchObject({ kind: "machine" });
  });

  it("with its parent, however that dies", async () => {
    const outDir = await newFolder();
    const script = join(outDir, "parent.ts");
    const task = { kind: "encode", sourceUrl: sampleVideo, plan: samplePlan, outDir };
    await writeFile(
      script,
      `import { runTask } from ${JSON.stringify(new URL("./task.ts", import.meta.url).href)};
       runTask({ task: ${serialise(task)}, signal: new AbortController().signal, timeLimitMs: 60000, noProgressMs: 60000, onProgress: () => console.log("on its way") });`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(parent.stdout, "data");
    const [child] = await taskProcesses(parent.pid);
    if (child === undefined) throw new Error("the task has no process");
    parent.kill("SIGKILL");
    await waitUntil("the child has ended", () => !isRunning(child));
  });
});

async function kill(signal: NodeJS.Signals): Promise<void> {
  for (const pid of await taskProcesses()) process.kill(pid, signal);
}
