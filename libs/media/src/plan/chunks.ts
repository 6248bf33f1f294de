import type { ChunkPlan, Fleet, FrameTable } from "../types.ts";
import { chunkSegments, segmentSlack } from "./chunk-length.ts";
import { type FrameLookup, firstAtOrAbove, lastAtOrBelow, lookUpFrames } from "./frame-lookup.ts";
import { createSceneChoice } from "./scene-choice.ts";

/** What chunks are cut by. `whole`: one chunk for all. */
export type ChunkOptions = { segmentSeconds: number; fleet: Fleet; whole?: boolean };

/** A place where a chunk would end if all segments were of one length. A scene that begins at most `slack` before or after it may end the chunk instead, or else a key frame. */
export type PossibleCut = { pts: bigint; slack: bigint };

/**
 * All chunks of a source: those of the head as they are, with the numbers of their frames, and the rest behind them. Together they have each frame exactly once.
 * Throws a RangeError where the table isn't one.
 */
export function completeChunks(head: readonly ChunkPlan[], table: FrameTable, options: ChunkOptions): ChunkPlan[] {
  const sceneNear = createSceneChoice(table.sceneChanges);
  const cuts = cutChunks(head, table, options);
  let cut = cuts.next();
  while (!cut.done) cut = cuts.next(sceneNear(cut.value));
  return cut.value;
}

/**
 * Cuts as `completeChunks` does, and asks for the scene to begin each chunk with where it comes to its place, in rising order: an analysis needs to look for scenes only there. Asked for is the PTS of the
 * scene's first frame; undefined for none.
 */
export function* cutChunks(
  head: readonly ChunkPlan[],
  table: FrameTable,
  options: ChunkOptions,
): Generator<PossibleCut, ChunkPlan[], bigint | undefined> {
  const frames = lookUpFrames(table);
  const { num = 1, den = 1 } = table.timeBase ?? {};
  const segmentTicks = BigInt(Math.max(1, Math.round((options.segmentSeconds * den) / num)));
  const slack = BigInt(Math.round(Number(segmentTicks) * segmentSlack));
  const chunks = head.map((chunk) => counted(chunk, frames)).filter((chunk) => chunk.frameCount > 0);
  let first = chunks.reduce((sum, chunk) => sum + chunk.frameCount, 0);
  let firstSegment = chunks.reduce((sum, chunk) => sum + chunk.segmentPts.length, 0) + 1;
  let sceneChange = false;

  const segmentsFrom = (frame: number) =>
    Number(frames.ptsOf(frames.count) - frames.ptsOf(frame)) / Number(segmentTicks);
  const perSegment = Math.round((frames.count - first) / Math.max(1, segmentsFrom(first)));
  const lengthFrom = (frame: number) => {
    if (options.whole) return Number.POSITIVE_INFINITY;
    // Where there was no head, the stream begins early all the same.
    if (chunks.length === 0) return 1;
    const segment = { frames: perSegment, seconds: options.segmentSeconds };
    return chunkSegments({ left: segmentsFrom(frame), before: firstSegment - 1 }, segment, options.fleet);
  };
  const { lastCutPts } = table;
  const mayCutAt = (frame: number) => lastCutPts === undefined || frames.ptsOf(frame) <= lastCutPts;
  while (first < frames.count) {
    let { starts, end } = evenSegments(frames, first, { length: lengthFrom(first), segmentTicks, slack });
    let endsWithScene = false;
    if (end < frames.count) {
      const cut = { pts: frames.ptsOf(end), slack };
      const mayEndAt = (frame: number) =>
        frame > (starts.at(-1) ?? first) && frames.ptsOf(frames.count) - frames.ptsOf(frame) > slack;
      const scene = yield cut;
      const sceneFrame = scene === undefined ? undefined : frames.frameAt(scene);
      endsWithScene = sceneFrame !== undefined && mayEndAt(sceneFrame);
      // From a key frame of the source on, nothing before the chunk is decoded for it.
      const key = endsWithScene ? undefined : nearestKeyframe(table.keyframePts, cut);
      const keyFrame = key === undefined ? undefined : frames.frameAt(key);
      if (sceneFrame !== undefined && endsWithScene) end = sceneFrame;
      else if (keyFrame !== undefined && mayEndAt(keyFrame)) end = keyFrame;
      if (!mayCutAt(end)) {
        ({ starts, end } = evenSegments(frames, first, { length: Number.POSITIVE_INFINITY, segmentTicks, slack }));
      }
    }
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
      firstSegment,
      frameCount: end - first,
      firstFrame: first,
      ...seekPoint(table.keyframePts, startPts),
      sceneChange,
    });
    first = end;
    firstSegment += starts.length;
    sceneChange = endsWithScene;
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

/** Where a chunk's segments begin, and where it ends, as numbers of frames. */
function evenSegments(
  frames: FrameLookup,
  first: number,
  { length, segmentTicks, slack }: { length: number; segmentTicks: bigint; slack: bigint },
): { starts: number[]; end: number } {
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
  return { starts, end: at };
}

/** The key frame that is nearest to a cut, of those that may end the chunk instead; undefined if there is none. */
function nearestKeyframe(keyframes: readonly bigint[], { pts, slack }: PossibleCut): bigint | undefined {
  const at = firstAtOrAbove(keyframes, pts);
  const distance = (key: bigint) => (key > pts ? key - pts : pts - key);
  return keyframes
    .slice(Math.max(0, at - 1), at + 1)
    .filter((key) => distance(key) <= slack)
    .sort((one, other) => Number(distance(one) - distance(other)))[0];
}

function seekPoint(keyframes: readonly bigint[], pts: bigint): { seekPts?: bigint } {
  const [first] = keyframes;
  if (first === undefined || first > pts) return {};
  const found = keyframes[lastAtOrBelow(keyframes, pts)];
  return found === undefined ? {} : { seekPts: found };
}
