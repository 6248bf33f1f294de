/**
 * Node keeps a list of timers for each duration, and callers send what they have left: any number of milliseconds. Up to 6 % more than asked keeps
 * the lists few and their timers cheap. It is the caller who must give up in time; this ends what nobody waits for any more.
 */
export function coarseTimeout(ms: number): number {
  if (ms < 32) {
    return ms;
  }
  const step = 2 ** (Math.floor(Math.log2(ms)) - 4);
  return Math.ceil(ms / step) * step;
}
