import { mkdtempSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** Children as a worker has them: one ready for the next task, and compiled code kept for those after it. */
export function warmChildren(): AsyncDisposable {
  const folder = mkdtempSync(join(tmpdir(), "bench-compiled-"));
  keepCompiledCode(folder);
  const ready = prepareChildren();
  return {
    async [Symbol.asyncDispose]() {
      await ready[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What there is to do for a source. */
export type Prepared = { media: MediaInfo; table: FrameTable; plan: EncodePlan };

/** Probe, analysis and plan, as for one worker. */
export async function prepare(sourceUrl: string, signal: AbortSignal): Promise<Prepared> {
  const media = await run({ kind: "probe", sourceUrl }, { signal });
  const table = await run({ kind: "analyse", sourceUrl, media }, { signal });
  const begun = planEncode(media).plan;
  const plan = begun && completePlan(begun, table, { seekable: media.video?.seekable ?? false }).plan;
  if (!plan) throw new Error("the source can't be planned");
  return { media, table, plan };
}

export type ChunkOptions = { signal: AbortSignal; outDir: string; threads?: number; qualityStride?: number };

export function encodeChunk(
  sourceUrl: string,
  plan: EncodePlan,
  chunk: ChunkPlan,
  options: ChunkOptions,
): Promise<ChunkResult> {
  const { outDir, signal, threads = 0, qualityStride: stride = qualityStride } = options;
  if (!plan.video) throw new Error("a plan without video");
  const task = { kind: "encode-chunk", sourceUrl, chunk, video: plan.video, qualityStride: stride, outDir } as const;
  return run(task, { signal, threads });
}

/** The whole job as one worker does it: chunk after chunk, and beside them the sound. */
export async function encodeAll(sourceUrl: string, { plan }: Prepared, options: ChunkOptions): Promise<ChunkResult[]> {
  const { outDir, signal } = options;
  const chunks: ChunkResult[] = [];
  const { audio, segmentSeconds, video } = plan;
  const sound = audio
    ? run(
        { kind: "audio", sourceUrl, audio, segmentSeconds, startSeconds: video?.startSeconds ?? 0, outDir },
        { signal },
      )
    : undefined;
  for (const chunk of plan.chunks ?? []) chunks.push(await encodeChunk(sourceUrl, plan, chunk, options));
  await sound;
  return chunks;
}

/** A folder that is gone when it goes out of scope. */
export async function scratch(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "bench-encode-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
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
