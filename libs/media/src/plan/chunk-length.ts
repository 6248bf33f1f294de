import type { Fleet } from "../types.ts";

/** A chunk is this part of what each slot still has to do. */
const shareOfSlot = 0.6;
/** A chunk is to take about this long at most, in seconds: what a machine's death costs. */
const longestSeconds = 30;
/** Segments that a chunk has at most while nobody knows the workers' speed, and in any case. */
const unknownSpeedSegments = 8;
const mostSegments = 15;

/** A segment may be longer or shorter than usual by this part, so that a chunk begins with a scene, and so that no scrap is left at the end. */
export const segmentSlack = 0.25;

/**
 * Segments in the next chunk. Chunks get shorter towards the end (guided self-scheduling: Polychronopoulos and Kuck, 1987), so that slots end at about the same time however much chunks differ in what they cost; short ones
 * everywhere would have processes start, look for their beginning, and control their rate more often.
 * A slot alone has nobody to wait for, so its chunks are alike, and as few as can be.
 * @param left segments that are left, a part of one included
 * @param framesPerSegment frames in an ordinary segment
 */
export function chunkSegments(left: number, framesPerSegment: number, fleet: Fleet): number {
  const bearable =
    fleet.framesPerSecond > 0
      ? Math.floor((longestSeconds * fleet.framesPerSecond) / Math.max(1, framesPerSegment))
      : unknownSpeedSegments;
  const most = Math.max(1, Math.min(bearable, mostSegments));
  const whole = Math.max(1, Math.ceil(left - segmentSlack));
  if (fleet.slots > 1) return Math.min(most, Math.ceil((whole / fleet.slots) * shareOfSlot));
  return Math.ceil(whole / Math.ceil(whole / most));
}
