// Often at first, for receivers that restart; then patiently, for those that somebody has to mend: 11 attempts within 24 hours.
const waits = [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800];

/** Attempts at a delivery before it is given up. */
export const mostAttempts = waits.length + 1;

/**
 * Seconds until the next attempt after so many that failed; undefined if there is none. A tenth more or less, so that what failed together doesn't come
 * back together; later if the receiver asks for it, up to an hour.
 * @param random from 0 to 1
 */
export function nextAttemptIn(
  attempts: number,
  retryAfterSeconds: number | undefined,
  random: number,
): number | undefined {
  const wait = waits[attempts - 1];
  if (wait === undefined) return undefined;
  return Math.max(wait * (0.9 + 0.2 * random), Math.min(retryAfterSeconds ?? 0, 3600));
}
