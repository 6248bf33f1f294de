import { Code, ConnectError } from "@connectrpc/connect";
import { backOff } from "./back-off.ts";
import { CliError } from "./errors.ts";

/** How long to go on without a word of the server, in milliseconds. */
export const patienceMs = 600_000;

/** Whether an error says that the server is away for the moment: it restarts, or a connection broke. */
export function isAway(error: unknown): boolean {
  const { code, cause } = ConnectError.from(error);
  return !(cause instanceof CliError) && (code === Code.Unavailable || code === Code.DeadlineExceeded);
}

/** Makes a call again while the server is away, for up to ten minutes. `onWaiting` is told from the second try on. */
export async function retryWhileAway<T>(
  call: () => Promise<T>,
  { signal, onWaiting }: { signal: AbortSignal; onWaiting(): void },
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!isAway(error) || performance.now() > end) throw error;
    }
    if (tries > 0) onWaiting();
    await backOff(tries, signal);
  }
}
