import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { createSlot, defaultSlots, nicenessOf, threadsOf } from "@kinora/encoder-worker";
import {
  type ChunkPlan,
  type ChunkResult,
  completePlan,
  type EncodePlan,
  type FrameTable,
  type MediaInfo,
  planEncode,
} from "@kinora/media";
import {
  keepCompiledCode,
  type MediaTask,
  prepareChildren,
  type ResultOf,
  runTask,
  type TaskOptions,
} from "@kinora/media/task";

const limits = { timeLimitMs: 3_600_000, noProgressMs: 600_000 };

/** Every how manyth segment a plan has measured. */
export const qualityStride = 8;

export function run<Task extends MediaTask>(
  task: Task,
  options: Partial<TaskOptions> & { signal: AbortSignal },
): Promise<ResultOf<Task>> {
  return runTask({ ...limits, ...options, task });
}

/** Children as a worker has them: one ready for the next task, and compiled code kept below `folder` for those after it. */
export function warmChildren(folder: string): AsyncDisposable {
  keepCompiledCode(folder);
  const ready = prepareChildren();
  return {
    async [Symbol.asyncDispose]() {
      await ready[Symbol.asyncDispose]();
      keepCompiledCode(undefined);
    },
  };
}

/** What there is to do for a source. */
export type Prepared = { media: MediaInfo; table: FrameTable; plan: EncodePlan };

/** Probe, analysis and plan for a fleet of so many slots; for one worker on this machine if not said otherwise. */
export async function prepare(
  sourceUrl: string,
  signal: AbortSignal,
  slots: number = thisMachine().slots,
): Promise<Prepared> {
  const media = await run({ kind: "probe", sourceUrl }, { signal });
  const begun = planEncode(media, undefined, fleetOf(slots)).plan;
  const table = await run({ kind: "analyse", sourceUrl, media, plan: begun }, { signal });
  const plan = begun && completePlan(begun, table, { seekable: media.video?.seekable ?? false }).plan;
  if (!plan) throw new Error("the source can't be planned");
  return { media, table, plan };
}

export type ChunkOptions = {
  signal: AbortSignal;
  outDir: string;
  threads?: number;
  qualityStride?: number;
  /** As in `TaskOptions`. */
  video?: string;
  onDraining?: () => void;
};

export function encodeChunk(
  sourceUrl: string,
  plan: EncodePlan,
  chunk: ChunkPlan,
  options: ChunkOptions,
): Promise<ChunkResult> {
  const { outDir, signal, threads = 0, qualityStride: stride = qualityStride, video, onDraining } = options;
  if (!plan.video) throw new Error("a plan without video");
  const task = { kind: "encode-chunk", sourceUrl, chunk, video: plan.video, qualityStride: stride, outDir } as const;
  return run(task, { signal, threads, ...(video !== undefined && { video }), ...(onDraining && { onDraining }) });
}

/**
 * The whole job as one worker does it that has this machine to itself, with its slots, threads and priorities, in the encoder's order: the head's chunks and the sound are begun while the source is analysed, then
 * come the other chunks. What is missing is the encoder, uploads, pictures and verification.
 */
export async function encodeAsWorker(
  sourceUrl: string,
  { signal, outDir }: { signal: AbortSignal; outDir: string },
): Promise<ChunkResult[]> {
  const machine = thisMachine();
  const { slots } = machine;
  const perform = <Task extends MediaTask>(task: Task, onDraining = () => {}) =>
    run(task, {
      signal,
      threads: threadsOf(task, machine),
      video: outDir,
      niceness: nicenessOf(task),
      onDraining,
    });
  const media = await perform({ kind: "probe", sourceUrl });
  const begun = planEncode(media, undefined, fleetOf(slots)).plan;
  if (!begun?.video) throw new Error("the source can't be planned");
  const { audioTracks = [], segmentSeconds, video } = begun;
  const results: ChunkResult[] = [];
  const waiting = [...(begun.chunks ?? [])];
  const encode = async (chunk: ChunkPlan, draining: () => void) => {
    results.push(await perform({ kind: "encode-chunk", sourceUrl, chunk, video, qualityStride, outDir }, draining));
  };
  const { startSeconds } = video;
  const sounds = async () => {
    for (const audio of audioTracks)
      await perform({ kind: "audio", sourceUrl, audio, segmentSeconds, startSeconds, outDir });
  };
  const analyse = async () => {
    const table = await perform({ kind: "analyse", sourceUrl, media, plan: begun });
    const { plan } = completePlan(begun, table, { seekable: media.video?.seekable ?? false });
    if (!plan) throw new Error("the source can't be planned");
    waiting.push(...(plan.chunks ?? []).slice(begun.chunks?.length ?? 0));
  };
  let planned = Promise.resolve();
  const work = async () => {
    const slot = createSlot();
    const encodeWaiting = async () => {
      for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) {
        const next = chunk;
        await slot.begin((draining) => encode(next, draining));
      }
    };
    await encodeWaiting();
    await planned;
    await encodeWaiting();
    await slot.idle();
  };
  // A worker's slots wait for the head already when the probe ends, so theirs is the child that stands ready.
  const working = Array.from({ length: slots }, work);
  const sounding = sounds();
  planned = analyse();
  await Promise.all([sounding, planned, ...working]);
  return results;
}

/** What a worker that has this machine to itself does at once. */
export function thisMachine(): { cores: number; slots: number } {
  const cores = availableParallelism();
  return { cores, slots: defaultSlots(cores, totalmem()) };
}

/** A fleet of so many slots, as an encoder that has seen nothing of their speed plans for it. */
const fleetOf = (slots: number) => ({ slots, framesPerSecond: 0, encoders: ["cpu"] });

/** A folder that is gone when it goes out of scope. */
export async function scratch(parent: string = tmpdir()): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(parent, "bench-encode-"));
  // Again, if a task that was cut off has still written.
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** One chunk that is a whole excerpt of `plan`, `segments` long from the given one on (counted from 0), and the same in chunks of `each` segments. */
export function excerpt({ plan, table }: Prepared, first: number, segments: number, each: number): ChunkPlan[] {
  const all = (plan.chunks ?? []).flatMap(({ segmentPts }) => segmentPts);
  const chosen = all.slice(first, first + segments);
  const chunks: ChunkPlan[] = [];
  for (let at = 0; at < chosen.length; at += each) {
    const segmentPts = chosen.slice(at, at + each);
    const [startPts = table.startPts] = segmentPts;
    const endPts = chosen[at + each] ?? all[first + segments];
    const end = endPts === undefined ? {} : { endPts };
    // Not from the first picture on, unless it is that.
    const index = first + at;
    chunks.push({
      index,
      startPts,
      ...end,
      segmentPts,
      firstSegment: first + at + 1,
      frameCount: 0,
      firstFrame: 0,
      sceneChange: false,
    });
  }
  return chunks;
}
