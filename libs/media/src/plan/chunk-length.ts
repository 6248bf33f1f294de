import type { Fleet } from "../types.ts";

/** A chunk is this part of what each slot still has to do. */
const shareOfSlot = 0.6;
/** A chunk is to take about this long at most, in seconds: what a machine's death costs. */
const longestSeconds = 30;
/** Segments that a chunk has at most while nobody knows the workers' speed, and in any case. */
const unknownSpeedSegments = 8;
const mostSegments = 15;

/**
 * Segments in the next chunk. Chunks get shorter towards the end (guided self-scheduling: Polychronopoulos and Kuck, 1987), so that slots end at about the same time however much chunks differ in what they cost; short ones
 * everywhere would have processes start, look for their beginning, and control their rate more often.
 * A slot alone has nobody to wait for, so its chunks are alike.
 * @param segments those that are left, and how many there were at first
 * @param framesPerSegment frames in an ordinary segment
 */
export function chunkSegments(segments: { left: number; all: number }, framesPerSegment: number, fleet: Fleet): number {
  const slots = Math.max(1, fleet.slots);
  const share = Math.ceil(((slots > 1 ? segments.left : segments.all) / slots) * shareOfSlot);
  const bearable =
    fleet.framesPerSecond > 0
      ? Math.floor((longestSeconds * fleet.framesPerSecond) / Math.max(1, framesPerSegment))
      : unknownSpeedSegments;
  return Math.max(1, Math.min(share, bearable, mostSegments));
}
