/** Tells once when a task needs less and less of its machine, so that the next one may begin. */
export type Draining = {
  /** So many pictures are encoded. */
  see(frames: number): void;
  /** The source is read; what is left is in the encoders. */
  tell(): void;
};

/**
 * The next task begins this long before the end, in milliseconds, by the speed so far: it reads its source's index and decodes the pictures before its part, for which it uses one core alone. Longer would be of no use: two tasks in full swing take turns, and cost more
 * when their machine dies.
 */
const overlapMs = 500;

/** @param expected pictures in all; 0 if nobody knows */
export function createDraining(
  expected: number,
  onDraining: () => void,
  now: () => number = () => performance.now(),
): Draining {
  const startedAt = now();
  let isTold = false;
  const tell = () => {
    if (!isTold) onDraining();
    isTold = true;
  };
  return {
    see(frames) {
      if (frames > 0 && (expected - frames) * ((now() - startedAt) / frames) < overlapMs && expected > 0) tell();
    },
    tell,
  };
}
