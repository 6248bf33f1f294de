import type { FrameTable } from "./types.ts";

/** More runs than this would make the table too large to send around. */
const maxRuns = 200_000;

/** How many frames share one distance where there would be too many runs. */
const groupFrames = 64;

/**
 * Codes the times of frames, which come in the order of presentation, in units of the track. Two frames at the same time are placed one unit apart. Where there are too many different distances, those of
 * each 64 frames are averaged: every 64th time is exact then, and the count is.
 *
 * @param end where the last frame ends
 */
export function codeFrameTimes(
  times: ArrayLike<number>,
  end: number,
  limit = maxRuns,
): Pick<FrameTable, "frameCount" | "startPts" | "endPts" | "runFrames" | "runDeltas" | "approximate"> {
  const count = times.length;
  const rising = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    rising[index] = index === 0 ? (times[0] ?? 0) : Math.max(times[index] ?? 0, (rising[index - 1] ?? 0) + 1);
  }
  const last = Math.max(end, (rising[count - 1] ?? 0) + 1);
  const distance = (index: number) => (index + 1 < count ? (rising[index + 1] ?? 0) : last) - (rising[index] ?? 0);
  const exact = runsOf(count, distance);
  const isApproximate = exact.runFrames.length > limit;
  const { runFrames, runDeltas } = isApproximate ? averagedRuns(count, rising, last) : exact;
  return {
    frameCount: count,
    startPts: BigInt(rising[0] ?? 0),
    endPts: BigInt(count === 0 ? end : last),
    runFrames,
    runDeltas: runDeltas.map(BigInt),
    approximate: isApproximate,
  };
}

function runsOf(count: number, distance: (index: number) => number): { runFrames: number[]; runDeltas: number[] } {
  const runFrames: number[] = [];
  const runDeltas: number[] = [];
  for (let index = 0; index < count; index++) add(runFrames, runDeltas, distance(index), 1);
  return { runFrames, runDeltas };
}

/** Within a group, all frames but the last are as far apart as whole units allow; the last takes the rest. */
function averagedRuns(count: number, times: Float64Array, end: number): { runFrames: number[]; runDeltas: number[] } {
  const runFrames: number[] = [];
  const runDeltas: number[] = [];
  for (let from = 0; from < count; from += groupFrames) {
    const frames = Math.min(groupFrames, count - from);
    const span = (from + frames < count ? (times[from + frames] ?? 0) : end) - (times[from] ?? 0);
    const mean = Math.floor(span / frames);
    if (frames > 1) add(runFrames, runDeltas, mean, frames - 1);
    add(runFrames, runDeltas, span - mean * (frames - 1), 1);
  }
  return { runFrames, runDeltas };
}

function add(runFrames: number[], runDeltas: number[], delta: number, frames: number): void {
  if (runDeltas.at(-1) === delta) runFrames[runFrames.length - 1] = (runFrames.at(-1) ?? 0) + frames;
  else {
    runFrames.push(frames);
    runDeltas.push(delta);
  }
}

/** The times that a table codes. */
export function* frameTimesOf(table: Pick<FrameTable, "startPts" | "runFrames" | "runDeltas">): Generator<bigint> {
  let pts = table.startPts;
  for (const [index, frames] of table.runFrames.entries()) {
    for (let frame = 0; frame < frames; frame++) {
      yield pts;
      pts += table.runDeltas[index] ?? 0n;
    }
  }
}

/** Key frames closer than this to the usual distance stand there because of it. */
const regularPart = 0.02;

/**
 * Key frames that come earlier than the encoder's usual distance: encoders put them where the scene changes. Found without decoding anything; a source that has key frames at even
 * distances only, or nothing else, tells nothing.
 */
export function sceneChangesByKeyframes(keyframes: number[]): { pts: bigint; score: number }[] {
  const distances = keyframes.slice(1).map((pts, index) => pts - (keyframes[index] ?? 0));
  const longest = distances.reduce((most, distance) => Math.max(most, distance), 0);
  return distances.flatMap((distance, index) =>
    distance < longest * (1 - regularPart) ? [{ pts: BigInt(keyframes[index + 1] ?? 0), score: 0.5 }] : [],
  );
}
