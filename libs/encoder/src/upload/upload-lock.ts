import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Db } from "../store/db.ts";
import { dropUploadLock, renewUploadLock, takeUploadLock } from "../store/upload.store.ts";
import { TusError } from "./tus-error.ts";

/** What @tus/server asks of a locker. `requestRelease` asks the holder to let go; `lock` throws an error response when it doesn't in time. */
export type UploadLocker = {
  newLock(id: string): {
    lock(signal: AbortSignal, requestRelease: () => void | Promise<void>): Promise<void>;
    unlock(): Promise<void>;
  };
};

/** A lock that isn't renewed for this long is free: its holder's process has died. In seconds. */
const leaseSeconds = 10;
/** Time between two renewals, in milliseconds. */
const renewMs = 1_000;
/** Time between two questions of somebody who waits, in milliseconds. */
const pollMs = 150;

/**
 * One request at a time for each upload, of all replicas: the lock is in the database. A newcomer asks the holder to let go: usually that is a broken
 * connection which the holder's server hasn't noticed.
 * @param timeoutMs how long a newcomer waits
 */
export function createUploadLocker(db: Db, timeoutMs: number): UploadLocker {
  // Those of this process learn at once that somebody of this process waits.
  const holders = new Map<string, () => void | Promise<void>>();
  return {
    newLock(id) {
      const holder = randomUUID();
      const ended = new AbortController();
      return {
        async lock(signal, requestRelease) {
          const end = Date.now() + timeoutMs;
          while (!(await takeUploadLock(db, id, holder, leaseSeconds))) {
            await holders.get(id)?.();
            if (signal.aborted || Date.now() > end) {
              throw new TusError(423, "Another request is sending bytes of this upload. Try again.");
            }
            await sleep(pollMs, undefined, { signal }).catch(() => {});
          }
          holders.set(id, requestRelease);
          void keep(db, id, holder, ended.signal, requestRelease);
        },
        async unlock() {
          ended.abort();
          holders.delete(id);
          // If the database is away, the lock ends by itself.
          await dropUploadLock(db, id, holder).catch(() => {});
        },
      };
    },
  };
}

/** Renews a lock until the signal aborts, and lets the holder know when somebody waits for it, or when it is lost. */
async function keep(
  db: Db,
  id: string,
  holder: string,
  signal: AbortSignal,
  requestRelease: () => void | Promise<void>,
): Promise<void> {
  let renewed = Date.now();
  for (;;) {
    await sleep(renewMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return;
    try {
      const kept = await renewUploadLock(db, id, holder, leaseSeconds);
      renewed = kept === undefined ? 0 : Date.now();
      if (kept?.wanted) await requestRelease();
    } catch {
      // The database is away: whether the lock is lost shows when it is back, or by the time that has passed.
    }
    if (signal.aborted || Date.now() - renewed <= leaseSeconds * 1000) continue;
    await requestRelease();
    return;
  }
}
