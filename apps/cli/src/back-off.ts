import { setTimeout as sleep } from "node:timers/promises";

const firstMs = 200;
const maxMs = 5_000;

/** Waits before try number `tries + 1`: from 0.2 s, doubling up to 5 s, of which a random half is taken off. */
export async function backOff(tries: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(maxMs, firstMs * 2 ** Math.min(tries, 10));
  await sleep(ms * (0.5 + Math.random() / 2), undefined, { signal });
}
