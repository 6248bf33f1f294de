import { availableParallelism } from "node:os";

/**
 * Threads for the encoder of each of some renditions that are encoded side by side: two for each core that it deserves by its part of all their pixels, and no more than x264 takes where it is alone. With one thread,
 * a small rendition costs less CPU than with several, and takes its turn while the others wait for the largest.
 *
 * @param threads the most for one encoder; 0 for x264's own figure, one and a half times the cores
 */
export function encoderThreads(
  renditions: readonly { width: number; height: number }[],
  threads: number,
  cores: number = availableParallelism(),
): number[] {
  const most = threads > 0 ? threads : Math.ceil(1.5 * cores);
  const areas = renditions.map(({ width, height }) => width * height);
  const whole = areas.reduce((sum, area) => sum + area, 0);
  return areas.map((area) => Math.min(most, Math.ceil((4 / 3) * most * (area / whole))));
}
