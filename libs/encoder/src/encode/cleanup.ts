import type { ObjectStore } from "@kinora/storage";
import type { Context } from "../context.ts";
import type { ControlJobs } from "../queue/queue.ts";
import type { Db } from "../store/db.ts";
import type { Uploads } from "../upload/uploads.ts";

/** How long an address for writing an object is good, in seconds. */
export const uploadAddressSeconds = 900;

/**
 * Queues the removal of objects and uploads: at once, and again when the last address that was given out for writing them has expired, since a worker that
 * doesn't know yet may write until then.
 */
export async function sendCleanup(
  { queue }: Pick<Context, "queue">,
  db: Db,
  work: Partial<ControlJobs["cleanup"]>,
): Promise<void> {
  const { prefixes = [], uploads = [] } = work;
  if (prefixes.length === 0 && uploads.length === 0) return;
  await queue.send(db, "cleanup", { prefixes, uploads });
  await queue.send(db, "cleanup", { prefixes, uploads }, uploadAddressSeconds + 60);
}

/** Removes what a cleanup job names. */
export async function cleanUp(
  { storage, uploads }: { storage: ObjectStore; uploads: Uploads },
  job: ControlJobs["cleanup"],
  signal: AbortSignal,
): Promise<void> {
  for (const id of job.uploads) await uploads.remove(id, signal);
  for (const prefix of job.prefixes) await storage.deletePrefix(prefix, signal);
}
