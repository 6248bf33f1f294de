import type { FrameTable } from "../types.ts";

/** Finds frames of a table by number and by time, in the time of a binary search. */
export type FrameLookup = {
  count: number;
  /** PTS of a frame, counted from 0; the end of the last frame for `count`. */
  ptsOf(frame: number): bigint;
  /** Number of the first frame at or after a PTS; `count` if there is none. */
  frameAt(pts: bigint): number;
};

/** Reads a frame table. Throws a RangeError where its runs contradict its counts, or time stands still or runs backwards in it. */
export function lookUpFrames(table: FrameTable): FrameLookup {
  const { runFrames, runDeltas } = table;
  const firstFrames: number[] = [];
  const firstPts: bigint[] = [];
  let frame = 0;
  let pts = table.startPts;
  for (const [index, frames] of runFrames.entries()) {
    const delta = runDeltas[index];
    if (delta === undefined || delta <= 0n || frames < 1)
      throw new RangeError(`Run ${index} of the frame table is no run.`);
    firstFrames.push(frame);
    firstPts.push(pts);
    frame += frames;
    pts += delta * BigInt(frames);
  }
  if (frame !== table.frameCount || runFrames.length !== runDeltas.length) {
    throw new RangeError(`The frame table's runs have ${frame} frames instead of ${table.frameCount}.`);
  }
  return {
    count: frame,
    ptsOf(wanted) {
      if (wanted >= frame) return table.endPts;
      const run = lastAtOrBelow(firstFrames, wanted);
      return (firstPts[run] ?? 0n) + BigInt(wanted - (firstFrames[run] ?? 0)) * (runDeltas[run] ?? 1n);
    },
    frameAt(wanted) {
      if (frame === 0 || wanted <= table.startPts) return 0;
      const run = lastAtOrBelow(firstPts, wanted);
      const delta = runDeltas[run] ?? 1n;
      const steps = (wanted - (firstPts[run] ?? 0n) + delta - 1n) / delta; // rounded up
      return Math.min(frame, (firstFrames[run] ?? 0) + Number(steps));
    },
  };
}

/** Index of the last value that isn't above the wanted one, in a rising list whose first isn't. */
export function lastAtOrBelow<T extends number | bigint>(rising: readonly T[], wanted: T): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((rising[middle] as T) <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Index of the first value that isn't below the wanted one, in a rising list; its length if there is none. */
export function firstAtOrAbove<T extends number | bigint>(rising: readonly T[], wanted: T): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] as T) >= wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
