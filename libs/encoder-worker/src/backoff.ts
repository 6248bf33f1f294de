/** How waiting times grow. */
export type Backoff = { baseMs: number; maxMs: number };

/**
 * Milliseconds to wait before try number `tries + 1`: doubles from `baseMs` up to `maxMs`, of which a random half is taken off so that
 * many workers don't come back at the same moment ("equal jitter").
 */
export function backoffMs(tries: number, { baseMs, maxMs }: Backoff, random: () => number = Math.random): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(tries, 30));
  return ceiling * (0.5 + random() / 2);
}
