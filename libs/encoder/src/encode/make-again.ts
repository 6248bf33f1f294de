import type { Context } from "../context.ts";
import { attemptPrefix } from "../domain/object-keys.ts";
import type { Db } from "../store/db.ts";
import type { LockedEncode } from "../store/locked-encode.store.ts";
import type { TaskRecord } from "../store/task.store.ts";
import { reopenAllChunks, reopenChunks } from "../store/task-state.store.ts";
import { sendCleanup } from "./cleanup.ts";

/**
 * Queues the chunks of a locked encode again that these segments (counted from 1) are of; what they were is removed. The answer is the queues that tasks wait in now: none if there are no such
 * chunks, or if they have been made again before. After the commit, call `announceTasks` with it.
 */
export async function makeChunksAgain(
  context: Pick<Context, "queue" | "logger">,
  db: Db,
  encode: LockedEncode,
  segments: readonly number[],
): Promise<string[]> {
  return await queueAgain(context, db, encode, await reopenChunks(db, encode.id, segments));
}

/** Queues all chunks of a locked encode again that are done, however often that has happened. The answer is like that of `makeChunksAgain`. */
export async function makeAllChunksAgain(
  context: Pick<Context, "queue" | "logger">,
  db: Db,
  encode: LockedEncode,
): Promise<string[]> {
  return await queueAgain(context, db, encode, await reopenAllChunks(db, encode.id));
}

async function queueAgain(
  context: Pick<Context, "queue" | "logger">,
  db: Db,
  encode: LockedEncode,
  chunks: readonly TaskRecord[],
): Promise<string[]> {
  for (const task of chunks) {
    const job = { id: task.id, place: task.place, ownerId: encode.ownerId };
    await context.queue.sendTasks(db, task.queue, [job]);
  }
  await sendCleanup(context, db, { prefixes: chunks.map((task) => attemptPrefix(encode, task)) });
  if (chunks.length > 0) {
    const numbers = chunks.map(({ chunk }) => chunk);
    context.logger.warn({ encodeId: encode.id, chunks: numbers }, "chunks at fault are made again");
  }
  return [...new Set(chunks.map((task) => task.queue))];
}
