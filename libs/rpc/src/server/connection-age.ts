// Connections made at the same moment (after a restart, say) must not all end at the same moment.
const jitter = 0.1;

/** How long a new connection may live, in milliseconds: the limit, give or take a tenth. `random` in [0, 1). */
export function connectionLifetime(limitMs: number, random: number): number {
  return limitMs * (1 - jitter + 2 * jitter * random);
}
