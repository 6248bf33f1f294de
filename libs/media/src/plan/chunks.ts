import type { ChunkPlan, Fleet, FrameTable, SceneChange } from "../types.ts";
import { chunkSegments } from "./chunk-length.ts";
import { type FrameLookup, lastAtOrBelow, lookUpFrames } from "./frame-lookup.ts";

/** A segment may be longer or shorter than usual by this part, so that a chunk begins with a scene, and so that no scrap is left at the end. */
export const segmentSlack = 0.25;

/**
 * All chunks of a source: those of the head as they are, with the numbers of their frames, and the rest behind them. Together they have each frame exactly once.
 * Throws a RangeError where the table isn't one.
 */
export function completeChunks(
  head: readonly ChunkPlan[],
  table: FrameTable,
  options: { segmentSeconds: number; fleet: Fleet; whole?: boolean },
): ChunkPlan[] {
  const frames = lookUpFrames(table);
  const { num = 1, den = 1 } = table.timeBase ?? {};
  const segmentTicks = BigInt(Math.max(1, Math.round((options.segmentSeconds * den) / num)));
  const chunks = head.map((chunk) => counted(chunk, frames)).filter((chunk) => chunk.frameCount > 0);
  let first = chunks.reduce((sum, chunk) => sum + chunk.frameCount, 0);
  const nextSegment = () => chunks.reduce((sum, chunk) => sum + chunk.segmentPts.length, 0) + 1;

  const segmentsFrom = (frame: number) =>
    Number(frames.ptsOf(frames.count) - frames.ptsOf(frame)) / Number(segmentTicks);
  const all = segmentsFrom(first);
  const perSegment = ((frames.count - first) / Math.max(1, all)) | 0;
  const lengthFrom = (frame: number) =>
    options.whole
      ? Number.POSITIVE_INFINITY
      : chunkSegments(Math.ceil(options.fleet.slots > 1 ? segmentsFrom(frame) : all), perSegment, options.fleet);
  const { lastCutPts } = table;
  while (first < frames.count) {
    const cut = nextChunk(frames, first, { length: lengthFrom(first), segmentTicks, scenes: table.sceneChanges });
    const isLast = lastCutPts !== undefined && frames.ptsOf(cut.end) > lastCutPts;
    const { starts, end, sceneChange } = isLast
      ? nextChunk(frames, first, { length: Number.POSITIVE_INFINITY, segmentTicks, scenes: [] })
      : cut;
    const startPts = frames.ptsOf(first);
    const previous = chunks.at(-1);
    // Cuts of the head lie between frames. Whoever stands on either side of one must mean the same by it.
    if (previous) previous.endPts ??= startPts;
    const begin = previous?.endPts ?? startPts;
    chunks.push({
      index: chunks.length,
      startPts: begin,
      ...(end < frames.count ? { endPts: frames.ptsOf(end) } : {}),
      segmentPts: [begin, ...starts.slice(1).map(frames.ptsOf)],
      firstSegment: nextSegment(),
      frameCount: end - first,
      firstFrame: first,
      ...seekPoint(table.keyframePts, startPts),
      sceneChange: chunks.length > 0 && (sceneChange || isScene(table.sceneChanges, startPts)),
    });
    first = end;
  }
  const last = chunks.at(-1);
  if (last) delete last.endPts;
  return chunks;
}

/**
 * A chunk of the head with the number of its frames, now that they are known. Where the headers promised more than there is, it keeps the segments that have
 * frames, perhaps none.
 */
function counted(chunk: ChunkPlan, frames: FrameLookup): ChunkPlan {
  const firstFrame = chunk.index === 0 ? 0 : frames.frameAt(chunk.startPts);
  const endFrame = chunk.endPts === undefined ? frames.count : frames.frameAt(chunk.endPts);
  const segmentPts = chunk.segmentPts.filter((pts, at) => at === 0 || frames.frameAt(pts) < endFrame);
  return { ...chunk, segmentPts, firstFrame, frameCount: endFrame - firstFrame };
}

/** Where the next chunk's segments begin, and where it ends, as numbers of frames. */
function nextChunk(
  frames: FrameLookup,
  first: number,
  options: { length: number; segmentTicks: bigint; scenes: readonly SceneChange[] },
): { starts: number[]; end: number; sceneChange: boolean } {
  const { length, segmentTicks, scenes } = options;
  const slack = BigInt(Math.round(Number(segmentTicks) * segmentSlack));
  const starts: number[] = [];
  let at = first;
  while (at < frames.count && starts.length < length) {
    starts.push(at);
    const start = frames.ptsOf(at);
    const following = frames.ptsOf(at + 1) - start;
    let next = Math.max(at + 1, frames.frameAt(start + segmentTicks - following / 2n));
    // A scrap that would be left at the end of the source belongs to this segment.
    if (frames.ptsOf(frames.count) - start <= segmentTicks + slack) next = frames.count;
    at = next;
  }
  if (at >= frames.count) return { starts, end: frames.count, sceneChange: false };
  const lastStart = starts.at(-1) ?? first;
  const scene = bestScene(scenes, frames.ptsOf(at), slack);
  const end = scene === undefined ? at : frames.frameAt(scene);
  const left = frames.ptsOf(frames.count) - frames.ptsOf(end);
  return end > lastStart && left > slack
    ? { starts, end, sceneChange: scene !== undefined }
    : { starts, end: at, sceneChange: false };
}

/** The surest scene change near a cut; the nearest of those that are equally sure. */
function bestScene(scenes: readonly SceneChange[], cut: bigint, slack: bigint): bigint | undefined {
  let best: { pts: bigint; value: number } | undefined;
  for (const { pts, score } of scenes) {
    const distance = pts > cut ? pts - cut : cut - pts;
    if (distance > slack) continue;
    const value = score * (1 - Number(distance) / (2 * Number(slack) + 1));
    if (best === undefined || value > best.value) best = { pts, value };
  }
  return best?.pts;
}

const isScene = (scenes: readonly SceneChange[], pts: bigint) => scenes.some((scene) => scene.pts === pts);

function seekPoint(keyframes: readonly bigint[], pts: bigint): { seekPts?: bigint } {
  const [first] = keyframes;
  if (first === undefined || first > pts) return {};
  const found = keyframes[lastAtOrBelow(keyframes, pts)];
  return found === undefined ? {} : { seekPts: found };
}
