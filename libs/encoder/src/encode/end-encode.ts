import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { encodePrefix } from "../domain/object-keys.ts";
import type { Db } from "../store/db.ts";
import { type LockedEncode, updateEncode } from "../store/locked-encode.store.ts";
import type { TaskRecord } from "../store/task.store.ts";
import { cancelTasks } from "../store/task-state.store.ts";
import { withdrawStream } from "../store/video.store.ts";
import { recordEvent } from "../webhook/record-event.ts";
import { sendCleanup } from "./cleanup.ts";

/** How long a failed encode keeps what was done of it for another try, in seconds. */
export const retrySeconds = 7 * 24 * 3600;

/** What must follow once the transaction that ended an encode is committed. */
export type Ended = { encodeId: string; tasks: TaskRecord[] };

/**
 * Ends a locked encode without a stream: its tasks are cancelled, its quota goes back, what could be played of it is withdrawn, and what was written of it is removed:
 * at once, or in a week if it is `retryable`. Undefined if it has ended already. After the commit, call `followUp`.
 */
export async function endEncode(
  context: Pick<Context, "queue">,
  db: Db,
  encode: LockedEncode,
  event: "failed" | "cancelled",
  options: { error?: string; retryable?: boolean; verification?: string } = {},
): Promise<Ended | undefined> {
  const state = transition(encode.state, event);
  if (state === undefined) return undefined;
  const { retryable = false, ...change } = options;
  await updateEncode(db, encode.id, state, { ...change, retryable });
  const tasks = await cancelTasks(db, encode.id);
  await recordEvent(context, db, {
    type: `encode.${event}`,
    ownerId: encode.ownerId,
    videoId: encode.videoId,
    encodeId: encode.id,
    ...(change.error && { data: { error: change.error } }),
  });
  await withdrawStream(db, encode.videoId, encode.id);
  // Nothing is reserved before the plan is made; from then on an answer may have been lost, so it is given back in any case.
  if (encode.state !== "queued" && encode.state !== "probing") {
    await context.queue.send(db, "release", { encodeId: encode.id, reservationId: encode.reservationId });
  }
  if (retryable) await context.queue.send(db, "expire", { encodeId: encode.id }, retrySeconds);
  else await sendCleanup(context, db, { prefixes: [encodePrefix(encode.videoId, encode.id)] });
  return { encodeId: encode.id, tasks };
}

/** Tells everybody that an encode has ended. */
export async function followUp(context: Context, ended: Ended): Promise<void> {
  context.encodeChanged.notify(ended.encodeId);
  context.queue.wake();
  // Not in the transaction: whoever takes tasks locks their jobs first. If it doesn't happen, whoever takes a task next finds it cancelled and drops it.
  const queues = new Set(ended.tasks.map((task) => task.queue));
  for (const queue of queues) {
    const ids = ended.tasks.filter((task) => task.queue === queue).map((task) => task.id);
    await context.queue
      .dropTasks(context.db, queue, ids)
      .catch((error: unknown) =>
        context.logger.debug({ err: error }, "cancelled tasks stay queued until they are taken"),
      );
  }
}
