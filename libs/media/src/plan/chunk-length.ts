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

/** Where a chunk begins. */
export type ChunkPlace = {
  /** Segments that are left, a part of one included. */
  left: number;
  /** Segments before it. */
  before: number;
};

/**
 * Segments in the next chunk. Chunks get shorter towards the end (guided self-scheduling: Polychronopoulos and Kuck, 1987), so that slots end at about the same time however much chunks differ in what they cost; short ones
 * everywhere would have processes start, look for their beginning, and control their rate more often. At the stream's beginning they are short enough for who watches already.
 * A slot alone has nobody to wait for, so its chunks are alike, and as few as can be.
 * @param segment an ordinary one: its frames, and its length in seconds
 */
export function chunkSegments(
  { left, before }: ChunkPlace,
  segment: { frames: number; seconds: number },
  { framesPerSecond, slots }: Fleet,
): number {
  const frames = Math.max(1, segment.frames);
  const bearable = framesPerSecond > 0 ? Math.floor((longestSeconds * framesPerSecond) / frames) : unknownSpeedSegments;
  const watchable = watchableSegments(before, (framesPerSecond * segment.seconds) / frames, slots);
  const most = Math.max(1, Math.min(bearable, watchable, mostSegments));
  const whole = Math.max(1, Math.ceil(left - segmentSlack));
  if (slots > 1) return Math.min(most, Math.ceil((whole / slots) * shareOfSlot));
  return Math.ceil(whole / Math.ceil(whole / most));
}

/** Without a known speed a chunk may have so many times the segments before it: it suits slots that encode at three times the speed of watching. */
const unknownSpeedGrowth = 2;

/**
 * The most segments that a chunk may have so that it is there when somebody gets to it who has watched from the moment that the first segment was there. Until then `slots` encode what is before the chunk but its first
 * segment, and then one of them the chunk, each `speed` segments in a segment's time: (before - 1) / (slots · speed) + n / speed ≤ before. No bound where all slots together are slower than people watch.
 */
function watchableSegments(before: number, speed: number, slots: number): number {
  if (speed === 0) return unknownSpeedGrowth * before;
  return speed * slots <= 1 ? Number.POSITIVE_INFINITY : Math.floor(speed * before - (before - 1) / slots);
}
