import type { Logger } from "@kinora/rpc";
import { deleteOldAttempts } from "./check/throttle.store.ts";
import { deleteExpiredCodes } from "./code/email-code.store.ts";
import { deleteExpiredChallenges } from "./factor/passkey.store.ts";
import { deleteExpiredSessions } from "./session/session.store.ts";
import type { Store } from "./store/store.ts";

const intervalMs = 10 * 60_000;

/** Removes what has run out. Nothing depends on it: every query looks at the time itself. */
export async function sweep(store: Store, signal: AbortSignal, now: Date): Promise<void> {
  await deleteExpiredSessions(store.on(signal), now);
  await deleteOldAttempts(store.on(signal), now);
  await deleteExpiredChallenges(store.on(signal), now);
  await deleteExpiredCodes(store.on(signal), now);
}

/** Sweeps every ten minutes until `close`, which waits for a sweep under way. Several processes may do so at once. */
export function startHousekeeping(deps: { store: Store; logger: Logger; now: () => Date }): { close(): Promise<void> } {
  const { store, logger, now } = deps;
  const end = new AbortController();
  let underWay = Promise.resolve();
  const timer = setInterval(() => {
    underWay = sweep(store, AbortSignal.any([end.signal, AbortSignal.timeout(60_000)]), now()).catch(
      (error: unknown) => {
        if (!end.signal.aborted) logger.warn({ err: error }, "couldn't remove expired sessions; will try again");
      },
    );
  }, intervalMs);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      end.abort();
      await underWay;
    },
  };
}
