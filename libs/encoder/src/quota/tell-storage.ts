import { setTimeout as sleep } from "node:timers/promises";
import { type Client, ConnectError } from "@connectrpc/connect";
import type { QuotaService } from "@kinora/proto-user";
import type { Logger } from "@kinora/rpc";
import type { Db } from "../store/db.ts";
import { forgetStorageChanges, listStorageChanges } from "../store/storage-changes.store.ts";

const pollMs = 2_000;
const batch = 100;
/** Longest pause while the user service is away, in milliseconds. */
const longestPauseMs = 30_000;

/**
 * Tells the user service what is stored and what is gone, until the signal aborts. A change stays on record until the user service has it, so an outage loses nothing; told twice, or by
 * several replicas, it counts once. The log hears of an outage once.
 */
export async function tellStorage(
  { db, logger }: { db: Db; logger: Logger },
  quota: Client<typeof QuotaService>,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    let pauseMs = pollMs;
    try {
      const changes = await listStorageChanges(db, batch);
      if (changes.length > 0) {
        await quota.recordStorage({ changes: changes.map(toMessage) }, { signal, timeoutMs: 10_000 });
        await forgetStorageChanges(
          db,
          changes.map(({ id }) => id),
        );
      }
      failures = 0;
      if (changes.length === batch) continue;
    } catch (error) {
      if (signal.aborted) return;
      const reason = ConnectError.from(error).rawMessage;
      if (failures === 0) logger.warn({ reason }, "the user service can't be told what is stored; will try again");
      failures += 1;
      pauseMs = Math.min(longestPauseMs, pollMs * 2 ** Math.min(failures, 10));
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

function toMessage({ itemId, ownerId, bytes }: Awaited<ReturnType<typeof listStorageChanges>>[number]) {
  return { itemId, userId: ownerId, ...(bytes !== undefined && { bytes: BigInt(bytes) }) };
}
