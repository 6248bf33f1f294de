import type { Fleet } from "../types.ts";

/** Chunks for each slot: the more there are, the less a slot waits for the last one of another; and the more often a process starts, looks for its beginning, and controls its rate anew. */
const chunksPerSlot = 2;
/** A chunk is to take about this long at most, in seconds: what a machine's death costs. */
const longestSeconds = 30;
/** Segments that a chunk has at most while nobody knows the workers' speed, and in any case. */
const unknownSpeedSegments = 8;
const mostSegments = 15;

/**
 * Segments in a chunk, for so many segments in all.
 * @param framesPerSegment frames in an ordinary segment
 */
export function chunkSegments(segments: number, framesPerSegment: number, fleet: Fleet): number {
  const even = Math.ceil(segments / (Math.max(1, fleet.slots) * chunksPerSlot));
  const bearable =
    fleet.framesPerSecond > 0
      ? Math.floor((longestSeconds * fleet.framesPerSecond) / Math.max(1, framesPerSegment))
      : unknownSpeedSegments;
  return Math.max(1, Math.min(even, bearable, mostSegments));
}
