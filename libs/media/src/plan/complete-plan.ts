import type { EncodePlan, FrameTable } from "../types.ts";
import { type ChunkOptions, completeChunks } from "./chunks.ts";
import { type PlanDecision, refuseCount, refuseLength, refuseRate } from "./plan-encode.ts";

/**
 * Completes a plan with what the analysis found: every chunk, and the number of frames. Chunks that the plan has already stay as they are, since their work may have begun.
 * `seekable` false: one chunk for all, since parts can't be found by their time. Pure, as `planEncode` is. Throws a RangeError where the table isn't one.
 */
export function completePlan(plan: EncodePlan, table: FrameTable, options: { seekable: boolean }): PlanDecision {
  const { video } = plan;
  if (!video) throw new RangeError("The plan has no video track.");
  const refusal = refuseCount(table.frameCount, plan.audioTracks?.length ?? 0) ?? refuseTimes(table);
  if (refusal !== undefined) return { refusal };
  const chunks = completeChunks(plan.chunks ?? [], table, chunkOptions(plan, options));
  return {
    plan: {
      ...plan,
      // The stream's zero stays: the sound may be under way.
      video: { ...video, frameCount: table.frameCount, timeBase: table.timeBase ?? video.timeBase },
      chunks,
      complete: true,
    },
  };
}

/** What a plan's chunks are cut by. */
export function chunkOptions(
  { segmentSeconds, fleet = { slots: 1, framesPerSecond: 0, encoders: [] } }: EncodePlan,
  { seekable }: { seekable: boolean },
): ChunkOptions {
  return { segmentSeconds, fleet, whole: !seekable };
}

/** Why a source whose frames have such times is refused: the plan of the head has only seen what the headers say. */
function refuseTimes({ timeBase = { num: 1, den: 1 }, startPts, endPts, frameCount }: FrameTable): string | undefined {
  const seconds = (Number(endPts - startPts) * timeBase.num) / timeBase.den;
  return refuseLength(seconds) ?? refuseRate({ num: frameCount > 1 ? frameCount : 0, den: seconds });
}
