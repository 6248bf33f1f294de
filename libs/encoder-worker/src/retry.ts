import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Backoff, backoffMs } from "./backoff.ts";

/** Waiting times between tries of a call or an upload. */
export const retryBackoff: Backoff = { baseMs: 200, maxMs: 5_000 };

/** Whether a call may succeed when it is made again: the encoder restarts, is overloaded or can't be reached. */
export function isTransient(error: unknown): boolean {
  switch (ConnectError.from(error).code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.ResourceExhausted:
    case Code.Canceled: // by the other end; a call that we cancel ourselves isn't tried again
    case Code.Internal:
    case Code.Unknown:
      return true;
    default:
      return false;
  }
}

/** Makes `attempt` again while its errors are transient, at most for `giveUpMs`; then the last error is thrown. */
export async function retry<T>(
  attempt: () => Promise<T>,
  options: { signal: AbortSignal; giveUpMs: number; transient?: (error: unknown) => boolean },
): Promise<T> {
  const { signal, giveUpMs, transient = isTransient } = options;
  const end = performance.now() + giveUpMs;
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!transient(error) || performance.now() >= end) {
        throw error;
      }
    }
    await sleep(backoffMs(tries, retryBackoff), undefined, { signal });
  }
}
