import type { Logger } from "@kinora/rpc";
import { deleteOldEvents } from "./audit/audit.store.ts";
import { deleteOldAttempts } from "./check/throttle.store.ts";
import { deleteExpiredCodes } from "./code/email-code.store.ts";
import { deleteExpiredChallenges } from "./factor/passkey.store.ts";
import { findImbalances } from "./quota/quota.store.ts";
import { findStorageImbalances } from "./quota/storage.store.ts";
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

const day = 86_400_000;

/** Removes what the audit log has kept for long enough. */
export async function pruneAudit(
  deps: { store: Store; logger: Logger; auditDays: number | undefined },
  signal: AbortSignal,
  now: Date,
): Promise<void> {
  if (deps.auditDays === undefined) return;
  const before = new Date(now.getTime() - deps.auditDays * day);
  const events = await deleteOldEvents(deps.store.on(signal), before);
  if (events > 0) deps.logger.info({ events, before }, "removed the oldest events of the audit log");
}

/** Tells the log of ledgers that don't add up. They are never mended silently: somebody has to look. */
export async function audit(deps: { store: Store; logger: Logger }, signal: AbortSignal, now: Date): Promise<void> {
  const since = new Date(now.getTime() - 2 * intervalMs);
  for (const imbalance of await findImbalances(deps.store.on(signal), since)) {
    deps.logger.error(imbalance, "the quota ledger of an account doesn't add up to its reservations and usage");
  }
  for (const imbalance of await findStorageImbalances(deps.store.on(signal), since)) {
    deps.logger.error(imbalance, "the storage ledger of an account doesn't add up to what it has stored and set aside");
  }
}

/** Sweeps every ten minutes until `close`, which waits for a sweep under way. Several processes may do so at once. */
export function startHousekeeping(deps: {
  store: Store;
  logger: Logger;
  auditDays: number | undefined;
  now: () => Date;
}): {
  close(): Promise<void>;
} {
  const { store, logger, now } = deps;
  const end = new AbortController();
  let underWay = Promise.resolve();
  const timer = setInterval(() => {
    const signal = AbortSignal.any([end.signal, AbortSignal.timeout(60_000)]);
    underWay = Promise.all([
      sweep(store, signal, now()),
      pruneAudit(deps, signal, now()),
      audit({ store, logger }, signal, now()),
    ])
      .then(() => {})
      .catch((error: unknown) => {
        if (!end.signal.aborted) logger.warn({ err: error }, "couldn't remove what has run out; will try again");
      });
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
