import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { readdirSync, readFileSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { getPriority } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { planEncode } from "@kinora/media";
import {
  Directive,
  type EncodePlan,
  EncodePlanSchema,
  FailureKind,
  type MediaInfo,
  TaskKind,
} from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import { sampleVideo, temporaryFolder, waitUntil } from "@kinora/testing";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type LogLine, recordedLogger } from "./testing/recorded-logger.ts";
import { type ScriptedEncoder, startScriptedEncoder, workerToken } from "./testing/scripted-encoder.ts";
import { createWorker, type WorkerOptions } from "./worker.ts";

let encoder: ScriptedEncoder;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let lines: LogLine[];
let stopWorker: () => Promise<void>;

beforeEach(async () => {
  folder = await temporaryFolder("kinora-worker-");
  const recorded = recordedLogger();
  lines = recorded.lines;
  encoder = await startScriptedEncoder(recordedLogger().logger);
  stopWorker = async () => {};
});
afterEach(async () => {
  await stopWorker();
  expect(await spoolFiles()).toEqual([]);
  expect(children()).toEqual([]);
  await encoder.stop();
  await folder.remove();
});

const spool = () => join(folder.path, "worker");
const spoolFiles = () => readdir(spool()).catch(() => []);

/** Every process that was started here; Node tells of each. */
const started: ChildProcess[] = [];
subscribe("child_process", (message) => started.push((message as { process: ChildProcess }).process));

/** Processes that live. */
const children = () => started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);

/** Starts a worker; ends it at the end of the test, unless the test does so. */
function startWorker(options: Partial<WorkerOptions> = {}): { stop(): Promise<void> } {
  const { logger, lines: own } = recordedLogger();
  lines = own;
  const transport = createClientTransport({ baseUrl: encoder.url, token: workerToken });
  const worker = createWorker({ transport, spoolDir: spool(), slots: 1, workerId: "test", logger, ...options });
  const signal = new AbortController();
  const running = worker.run(signal.signal);
  stopWorker = async () => {
    signal.abort();
    await running;
    transport.close();
  };
  return { stop: stopWorker };
}

const probe = { case: "probe", value: {} } as const;

/** What a worker finds in the sample, and the smallest plan for it. */
let media: MediaInfo;
let plan: EncodePlan;
beforeAll(async () => {
  const own = await startScriptedEncoder(recordedLogger().logger);
  encoder = own;
  folder = await temporaryFolder("kinora-worker-");
  const worker = startWorker();
  await own.offer(probe, sampleVideo);
  const [done] = await waitUntil("the sample is probed", () => (own.completed.length > 0 ? own.completed : undefined));
  await worker.stop();
  await own.stop();
  await folder.remove();
  if (done?.result.case !== "probe") throw new Error("The sample could not be probed.");
  media = done.result.value;
  const whole = planEncode(media).plan;
  if (!whole?.video) throw new Error("The sample could not be planned.");
  plan = create(EncodePlanSchema, {
    ...whole,
    video: { ...whole.video, renditions: whole.video.renditions.slice(-1) },
  });
});

const encode = () => ({ case: "encode", value: { plan } }) as const;
const completed = () => waitUntil("a task is completed", () => encoder.completed[0]);
const failed = () => waitUntil("a failure is reported", () => encoder.failed[0]);

describe("a probe", () => {
  it("reports what the source contains", () => {
    expect(media).toMatchObject({ video: { codec: "h264", width: 1280, height: 720, frameCount: 274 } });
    expect(media.audio).toMatchObject([{ codec: "aac" }]);
  });

  it("reports a source that is no video as the input's fault, in words", async () => {
    const text = join(folder.path, "text.mp4");
    await writeFile(text, "This is no video.\n".repeat(1000));
    startWorker();
    await encoder.offer(probe, text);
    expect(await failed()).toMatchObject({ kind: FailureKind.INPUT, lease: { attempt: 1 } });
    expect((await failed()).message).toMatch(/^[A-Z].*\.$/);
    await encoder.offer(probe, sampleVideo); // and the next task is done
    await completed();
  });
});

describe("an encode", () => {
  it("brings every file of the stream, then reports the result", async () => {
    startWorker();
    await encoder.offer(encode(), sampleVideo);
    const { result } = await completed();
    if (result.case !== "encode") throw new Error("This is no stream.");
    const tracks = [...result.value.video, ...(result.value.audio ? [result.value.audio] : [])];
    expect(tracks.map(({ name }) => name)).toEqual([plan.video?.renditions[0]?.name, "audio"]);
    for (const { name, initBytes, segments } of tracks) {
      expect(encoder.files.get(`${name}/init.mp4`)?.length).toBe(initBytes);
      for (const [index, { bytes }] of segments.entries()) {
        expect(encoder.files.get(`${name}/${index + 1}.m4s`)?.length).toBe(bytes);
      }
    }
    expect(encoder.files.has(result.value.poster)).toBe(true);
    expect(result.value.video[0]?.frames).toBe(274);
    expect(encoder.heartbeats.length).toBeGreaterThan(0);
    const fractions = encoder.heartbeats.map(({ fraction }) => fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(encoder.maxParallel()).toBeLessThanOrEqual(4);
    expect(encoder.asked.every((paths) => paths.length <= 64)).toBe(true);
  });

  it("tries uploads again that fail, with a new address where one is refused", async () => {
    encoder.script.uploadFaults = [503, "cut", 500, 403, 429];
    startWorker();
    await encoder.offer(encode(), sampleVideo);
    await completed();
    expect(encoder.script.uploadFaults).toEqual([]);
    expect(encoder.failed).toEqual([]);
  });

  it.each([
    [507, "The encoder has no room left"],
    [413, "The encoder did not take a finished file. An upload was answered with 413"],
  ])("fails by the machine's fault when uploads are answered with %i", async (status, message) => {
    encoder.script.uploadFaults = Array(1000).fill(status);
    startWorker();
    await encoder.offer(encode(), sampleVideo);
    const failure = await failed();
    expect(failure.kind).toBe(FailureKind.MACHINE);
    expect(failure.message).toContain(message);
    expect(encoder.completed).toEqual([]);
  });

  it("reads the source where the last heartbeat said", async () => {
    encoder.script.sourcesMoved = true;
    startWorker();
    await encoder.offer(encode(), sampleVideo);
    expect((await completed()).result.case).toBe("encode");
  });

  it("is stopped when it is cancelled, and nothing is reported", async () => {
    encoder.script.uploadMs = 60_000; // so that it can't end by itself
    startWorker();
    await encoder.offer(encode(), sampleVideo);
    await waitUntil("it runs", () => children().length > 0 && encoder.heartbeats.length > 0);
    encoder.script.directive = Directive.CANCEL;
    await waitUntil("the child is gone", () => children().length === 0);
    await waitUntil("the task has ended", () => lines.some(({ message }) => message === "task ended"));
    expect(lines.find(({ message }) => message === "task ended")?.fields).toMatchObject({ outcome: "cancelled" });
    expect([encoder.completed, encoder.failed]).toEqual([[], []]);
  });

  it("is dropped when the lease is lost", async () => {
    encoder.script.uploadMs = 60_000;
    startWorker();
    await encoder.offer(encode(), sampleVideo);
    await waitUntil("it runs", () => children().length > 0 && encoder.heartbeats.length > 0);
    encoder.script.leaseLost = true;
    await waitUntil("the child is gone", () => children().length === 0);
    encoder.script.leaseLost = false;
    await waitUntil("the task has ended", () => lines.some(({ fields }) => "outcome" in fields));
    expect([encoder.completed, encoder.failed]).toEqual([[], []]);
    encoder.script.uploadMs = 0;
    await encoder.offer(probe, sampleVideo); // and the worker goes on
    await completed();
  });

  it("goes on while the encoder is away for a while", async () => {
    startWorker();
    await encoder.offer(encode(), sampleVideo);
    await waitUntil("it runs", () => children().length > 0 && encoder.files.size > 0);
    await encoder.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await encoder.start();
    await completed();
    expect(encoder.leases()).toBe(1);
  });

  it("is given up when the encoder stays away", async () => {
    encoder.script.uploadMs = 60_000;
    startWorker({ giveUpMs: 500 });
    await encoder.offer(encode(), sampleVideo);
    await waitUntil("it runs", () => children().length > 0 && encoder.heartbeats.length > 0);
    encoder.script.unavailable = true;
    await waitUntil("the child is gone", () => children().length === 0);
    await waitUntil("the task has ended", () => lines.some(({ fields }) => "outcome" in fields));
    expect(lines.find(({ message }) => message === "task ended")?.fields).toMatchObject({ outcome: "unreachable" });
  });

  it("fails by the machine's fault when its process is killed, and the next task is done", async () => {
    encoder.script.uploadMs = 500;
    startWorker();
    await encoder.offer(encode(), sampleVideo);
    await waitUntil("it runs", () => children().length > 0 && encoder.heartbeats.length > 0);
    for (const child of children()) child.kill("SIGKILL");
    expect(await failed()).toMatchObject({ kind: FailureKind.MACHINE });
    encoder.script.uploadMs = 0;
    await encoder.offer(probe, sampleVideo);
    await completed();
  });
});

describe("a part of an encode", () => {
  it("makes room for the next one while it drains, and that one for none", async () => {
    startWorker({ drainGraceMs: 0 });
    encoder.script.uploadMs = 60_000; // so that it is encoded, and doesn't end
    const chunk = { index: 0, startPts: 0n, segmentPts: [0n], firstSegment: 1 };
    const part = { case: "encodeChunk", value: { chunk, video: plan.video } } as const;
    for (let count = 0; count < 3; count++) await encoder.offer(part, sampleVideo);
    const segments = () => encoder.asked.flat().filter((path) => path.endsWith("/1.m4s"));
    await waitUntil("the second one is encoded as well", () => segments().length === 2);
    expect(encoder.leases()).toBe(2);
    expect(encoder.completed).toEqual([]);
    expect(encoder.failed).toEqual([]);
  });

  it("is every frame of the source, found; then chunks and a track of sound that grows", async () => {
    startWorker({ keepsChildReady: true });
    await encoder.offer({ case: "analyse", value: { media, plan } }, sampleVideo);
    const analysed = await completed();
    if (analysed.result.case !== "analyse") throw new Error("This is no frame table.");
    const table = analysed.result.value;
    expect(table.frameCount).toBe(274);
    const cut =
      table.startPts + (table.timeBase ? BigInt(Math.round((4 * table.timeBase.den) / table.timeBase.num)) : 0n);
    const video = { ...plan.video, timeBase: table.timeBase, startPts: table.startPts } as NonNullable<
      EncodePlan["video"]
    >;
    const chunk = (index: number, start: bigint, end?: bigint) => ({
      index,
      startPts: start,
      ...(end === undefined ? {} : { endPts: end }),
      segmentPts: [start],
      firstSegment: index + 1,
    });
    await encoder.offer({ case: "encodeChunk", value: { chunk: chunk(0, table.startPts, cut), video } }, sampleVideo);
    await encoder.offer({ case: "encodeChunk", value: { chunk: chunk(1, cut), video } }, sampleVideo);
    const { audio, segmentSeconds } = plan;
    if (!audio) throw new Error("There is no sound.");
    const { startSeconds } = video;
    await encoder.offer({ case: "audio", value: { audio, segmentSeconds, startSeconds } }, sampleVideo);
    await waitUntil("all are completed", () => encoder.completed.length === 4);
    expect(encoder.failed).toEqual([]);
    const parts = encoder.completed.flatMap(({ result }) => (result.case === "encodeChunk" ? [result.value] : []));
    expect(parts.reduce((sum, { frames }) => sum + frames, 0)).toBe(274);
    expect(parts[0]?.renditions[0]?.initSha256).toEqual(parts[1]?.renditions[0]?.initSha256);
    const name = plan.video?.renditions[0]?.name;
    expect([...encoder.files.keys()].filter((path) => path.startsWith(`${name}/`)).sort()).toEqual([
      `${name}/1.m4s`,
      `${name}/2.m4s`,
      `${name}/init.mp4`,
    ]);
    const sound = encoder.completed.flatMap(({ result }) => (result.case === "audio" ? [result.value] : []))[0];
    const [first] = encoder.grown;
    expect(first?.track?.segments[0]).toEqual(sound?.segments[0]);
    expect(first?.track?.segments.length).toBeLessThanOrEqual(sound?.segments.length ?? 0);
    const light = encoder.offers.filter(({ kinds }) => kinds.includes(TaskKind.PROBE));
    expect(light).toHaveLength(2);
    expect(encoder.offers[0]).toMatchObject({ slots: 1, encoders: ["cpu"] });
    expect(encoder.offers[0]?.cores).toBeGreaterThan(0);
  });
});

describe("a shutdown", () => {
  it("lets a short task finish", async () => {
    const worker = startWorker({ drainGraceMs: 30_000 });
    await encoder.offer(encode(), sampleVideo);
    await waitUntil("it runs", () => children().length > 0);
    await worker.stop();
    expect(encoder.completed).toHaveLength(1);
    expect(encoder.failed).toEqual([]);
  });

  it("hands a long task back", async () => {
    encoder.script.uploadMs = 60_000;
    const worker = startWorker({ drainGraceMs: 200 });
    await encoder.offer(encode(), sampleVideo);
    await waitUntil("it runs", () => children().length > 0 && encoder.heartbeats.length > 0);
    await worker.stop();
    expect(encoder.failed).toMatchObject([{ kind: FailureKind.RETURNED }]);
    expect(encoder.completed).toEqual([]);
  });

  it("ends an idle worker at once, and one whose encoder is away", async () => {
    await startWorker().stop();
    await encoder.stop();
    const worker = startWorker();
    await waitUntil("it has noticed", () => lines.length > 0);
    await worker.stop();
    await encoder.start();
  });
});

describe("leasing", () => {
  it("waits for an encoder that is away, with one line in the log for each outage", async () => {
    await encoder.stop();
    startWorker({ slots: 3 });
    await waitUntil("it has noticed", () => lines.some(({ level }) => level === "warn"));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await encoder.start();
    await encoder.offer(probe, sampleVideo);
    await completed();
    expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);
    expect(lines.filter(({ message }) => message.includes("answers again"))).toHaveLength(1);
  });

  it("states the encoder families that it found (here a fake: there is no GPU)", async () => {
    startWorker({ findFamilies: async () => ["cpu", "nvenc"] });
    await encoder.offer(probe, sampleVideo);
    await completed();
    expect(encoder.offers[0]?.encoders).toEqual(["cpu", "nvenc"]);
  });

  it("says so when the credential is refused", async () => {
    startWorker({ transport: createClientTransport({ baseUrl: encoder.url, token: "another-credential" }) });
    const line = await waitUntil("it has noticed", () => lines.find(({ level }) => level === "error"));
    expect(line.message).toContain("refuses");
  });

  it("lets services and what people wait for go before its encodes", async () => {
    encoder.script.uploadMs = 1_000;
    startWorker();
    await encoder.offer(encode(), sampleVideo);
    const child = await waitUntil("it runs", () => children()[0]?.pid);
    const priorities = () => {
      const threads = readdirSync(`/proc/${child}/task`).map(Number);
      return new Set(threads.map((thread) => getPriority(thread)));
    };
    await waitUntil(
      "all its threads stand back",
      () => priorities().size === 1 && priorities().has(getPriority() + 10),
    );
    // Should memory run out, the kernel ends the child first.
    const score = (pid: number | "self") => Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
    expect(score(child)).toBe(Math.min(1_000, score("self") + 500));
    await completed();
  });

  it("does as many tasks at the same time as it has slots", async () => {
    encoder.script.uploadMs = 1_000;
    startWorker({ slots: 2 });
    await encoder.offer(encode(), sampleVideo);
    await encoder.offer(encode(), sampleVideo);
    await waitUntil("both run", () => children().length === 2);
    await waitUntil("both are done", () => encoder.completed.length === 2);
  });

  it("does two light tasks beside them, so that an analysis doesn't wait for sound", async () => {
    encoder.script.uploadMs = 1_000;
    startWorker();
    const { audio, segmentSeconds } = plan;
    if (!audio) throw new Error("There is no sound.");
    const sound = { case: "audio", value: { audio, segmentSeconds, startSeconds: 0 } } as const;
    await encoder.offer(encode(), sampleVideo);
    for (let count = 0; count < 3; count++) await encoder.offer(sound, sampleVideo);
    await waitUntil("an encode and two tracks are made", () => encoder.leases() === 3 && children().length === 3);
    await waitUntil("all are done", () => encoder.completed.length === 4);
  });

  it("hands one back where memory doesn't suffice for both, and does it once the other is done", async () => {
    encoder.script.uploadMs = 1_000;
    // Either alone has more than half of three quarters of this.
    startWorker({ slots: 2, memoryBytes: 300_000_000 });
    await encoder.offer(encode(), sampleVideo);
    await encoder.offer(encode(), sampleVideo);
    expect((await failed()).message).toContain("memory");
    await encoder.offer(encode(), sampleVideo);
    await waitUntil("both are done", () => encoder.completed.length === 2);
    expect(encoder.failed).toMatchObject([{ kind: FailureKind.RETURNED }]);
  });
});
