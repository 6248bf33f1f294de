import { rm } from "node:fs/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { type MediaTask, type ResultOf, runTask, type TaskOptions } from "@kinora/media/task";
import type { CompleteTaskRequestSchema, Lease, Task, WorkerService } from "@kinora/proto-encoder";
import type { Logger } from "@kinora/rpc";
import { createGrowth } from "./growth.ts";
import { callUnderLease, type LeaseProgress } from "./lease.ts";
import { outputLimitBytes } from "./limits.ts";
import { nicenessOf } from "./niceness.ts";
import type { Spool } from "./spool.ts";
import { createUploader } from "./uploader.ts";

/** What a worker does its tasks with. */
export type PerformDeps = {
  client: Client<typeof WorkerService>;
  spool: Spool;
  logger: Logger;
  /** How long to go on without an answer of the encoder, in milliseconds. */
  giveUpMs: number;
  /** What one task's process may use of the machine's memory. */
  memoryLimitBytes: number;
  /** The most threads of a task's decoder and of an encoder at an attempt, counted from 1; 0 for as many as the cores make use of. */
  threads: (task: MediaTask, attempt: number) => number;
};

/** What one task is done under. */
export type TaskCircumstances = {
  lease: Lease;
  signal: AbortSignal;
  timeLimitMs: number;
  onProgress: (progress: LeaseProgress) => void;
  /** Tells of a new address of the source. */
  onSource: (listener: (url: string) => void) => void;
  /** Told when the task needs less and less of the machine. */
  onDraining: () => void;
  /** Told how many bytes of memory it has. */
  onMemory: (bytes: number) => void;
};

/** … and the encode that it belongs to; empty where the encoder doesn't say. */
type Surroundings = TaskCircumstances & { video: string };

type Result = NonNullable<MessageInitShape<typeof CompleteTaskRequestSchema>["result"]>;

/** A child that shows no progress for this long is killed. */
const noProgressMs = 60_000;

/** Every how manyth segment's quality is measured where the task doesn't say. */
const defaultQualityStride = 0;

/** Does a task in a child process, and brings the files that it makes to where the encoder wants them. */
export async function performTask(deps: PerformDeps, task: Task, circumstances: TaskCircumstances): Promise<Result> {
  const { encodeId, sourceUrl, work } = task;
  const around = { ...circumstances, video: encodeId };
  const run = <Kind extends MediaTask>(media: Kind) => runTask({ ...optionsOf(deps, around, media), task: media });
  switch (work.case) {
    case "probe":
      return { case: "probe", value: await run({ kind: "probe", sourceUrl }) };
    case "analyse": {
      const { plan } = work.value;
      const media = given(work.value.media);
      return { case: "analyse", value: await run({ kind: "analyse", sourceUrl, media, plan }) };
    }
    case "encode": {
      const plan = given(work.value.plan);
      const limit = outputLimitBytes(plan);
      const value = await withFiles(deps, around, limit, (outDir) => ({ kind: "encode", sourceUrl, plan, outDir }));
      return { case: "encode", value };
    }
    case "encodeChunk": {
      const [chunk, video] = [given(work.value.chunk), given(work.value.video)];
      const qualityStride = work.value.qualityStride || defaultQualityStride;
      const value = await withFiles(deps, around, outputLimitBytes({ video }), (outDir) => {
        return { kind: "encode-chunk", sourceUrl, chunk, video, qualityStride, outDir };
      });
      return { case: "encodeChunk", value };
    }
    case "audio": {
      const { startSeconds, segmentSeconds } = work.value;
      const audio = given(work.value.audio);
      const value = await withFiles(deps, around, outputLimitBytes({ audio }), (outDir) => {
        return { kind: "audio", sourceUrl, audio, startSeconds, segmentSeconds, outDir };
      });
      return { case: "audio", value };
    }
    case "images": {
      const { posterSeconds, durationSeconds, tileSide, maxTiles } = work.value;
      const video = given(work.value.video);
      const value = await withFiles(deps, around, imagesLimitBytes, (outDir) => {
        return { kind: "images", sourceUrl, video, posterSeconds, durationSeconds, tileSide, maxTiles, outDir };
      });
      return { case: "images", value };
    }
    case "trial": {
      const { samples } = work.value;
      const video = given(work.value.video);
      const value = await withFiles(deps, around, outputLimitBytes({ video }), (outDir) => {
        return { kind: "trial", sourceUrl, video, samples, outDir };
      });
      return { case: "trial", value };
    }
    case "verify": {
      const { streamUrl, plan, result } = work.value;
      const value = await run({ kind: "verify", streamUrl, plan: given(plan), result: given(result) });
      return { case: "verify", value };
    }
    default:
      throw new Error("This worker doesn't know this kind of task: it is older than the encoder. Update it.");
  }
}

/** A poster and the sheets of a storyboard stay far below this. */
const imagesLimitBytes = 256 * 2 ** 20;

function given<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("The task came without what it is about.");
  return value;
}

function optionsOf(
  { memoryLimitBytes, threads }: PerformDeps,
  { lease, signal, timeLimitMs, onProgress, onSource, onDraining, onMemory, video }: Surroundings,
  task: MediaTask,
): TaskOptions {
  const limits = {
    timeLimitMs,
    noProgressMs,
    memoryLimitBytes,
    threads: threads(task, lease.attempt),
    niceness: nicenessOf(task),
  };
  return { signal, ...limits, ...(video !== "" && { video }), onProgress, onSource, onDraining, onMemory };
}

/** Runs a task that makes files, in a folder of its own, and brings every file away as soon as it is finished. */
async function withFiles<Kind extends MediaTask>(
  deps: PerformDeps,
  around: Surroundings,
  limitBytes: number,
  taskIn: (outDir: string) => Kind,
): Promise<ResultOf<Kind>> {
  const { client, spool, giveUpMs, logger } = deps;
  const { lease, signal } = around;
  const folder = await spool.taskFolder();
  const uploads = new Set<Promise<void>>();
  const failed = new AbortController();
  const stopped = AbortSignal.any([signal, failed.signal]);
  const report = { client, lease, giveUpMs, logger, signal };
  const uploader = createUploader({
    folder,
    giveUpMs,
    signal: stopped,
    addresses: (files) =>
      callUnderLease(report, (to, call) =>
        to.createUploads({ lease, paths: files.map(({ path }) => path), files }, call),
      ).then(({ uploads: addressed, urls }) =>
        addressed.length > 0 ? addressed : urls.map((url) => ({ url, contentType: "" })),
      ),
  });
  const growth = createGrowth({
    tell: (track) => callUnderLease(report, (to, call) => to.addSegments({ lease, track }, call)),
    onFailure: (error) => failed.abort(error),
  });
  try {
    const task = taskIn(folder);
    const result = await runTask({
      ...optionsOf(deps, around, task),
      signal: stopped,
      outputLimitBytes: limitBytes,
      task,
      onTrack: growth.made,
      onFile(path, bytes) {
        const upload = uploader.add(path, bytes).then(() => growth.uploaded(path));
        uploads.add(upload);
        upload.then(
          () => uploads.delete(upload),
          (error) => failed.abort(error),
        );
        return upload;
      },
    });
    await Promise.all(uploads);
    return result;
  } catch (error) {
    throw failed.signal.aborted ? failed.signal.reason : error; // why the upload failed says more than that the encode stopped
  } finally {
    growth.close();
    failed.abort();
    await Promise.allSettled(uploads);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
