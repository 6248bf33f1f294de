import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { streamPrefix } from "../domain/object-keys.ts";
import type { Db } from "../store/db.ts";
import { type LockedEncode, updateEncode } from "../store/encode.store.ts";
import { cancelTasks, type TaskRecord } from "../store/task.store.ts";
import { recordEvent } from "../webhook/record-event.ts";
import { sendCleanup } from "./cleanup.ts";

/** What must follow once the transaction that ended an encode is committed. */
export type Ended = { encodeId: string; tasks: TaskRecord[] };

/**
 * Ends a locked encode without a stream: its tasks are cancelled, its quota goes back, what was written of it is removed. Undefined if it has ended
 * already. After the commit, call `followUp`.
 */
export async function endEncode(
  context: Pick<Context, "queue">,
  db: Db,
  encode: LockedEncode,
  event: "failed" | "cancelled",
  error = "",
): Promise<Ended | undefined> {
  const state = transition(encode.state, event);
  if (state === undefined) return undefined;
  await updateEncode(db, encode.id, state, { error });
  const tasks = await cancelTasks(db, encode.id);
  await recordEvent(context, db, {
    type: `encode.${event}`,
    ownerId: encode.ownerId,
    videoId: encode.videoId,
    encodeId: encode.id,
    ...(error !== "" && { data: { error } }),
  });
  // Nothing is reserved before the plan is made; from then on an answer may have been lost, so it is given back in any case.
  if (encode.state !== "queued" && encode.state !== "probing") {
    await context.queue.send(db, "release", { encodeId: encode.id });
  }
  await sendCleanup(context, db, { prefixes: tasks.flatMap((task) => attemptPrefixes(encode, task)) });
  return { encodeId: encode.id, tasks };
}

/** Where a task's present attempt may have written. */
export function attemptPrefixes(encode: Pick<LockedEncode, "id" | "videoId">, task: TaskRecord): string[] {
  return task.kind === "encode" && task.attempt > 0 ? [streamPrefix(encode.videoId, encode.id, task.attempt)] : [];
}

/** Tells everybody that an encode has ended. */
export async function followUp(context: Context, ended: Ended): Promise<void> {
  context.encodeChanged.notify(ended.encodeId);
  context.queue.wake();
  // Not in the transaction: whoever takes a task locks its job first and its encode then, the other way round would be a deadlock.
  // If it doesn't happen, whoever takes the task next finds it cancelled and drops it.
  for (const task of ended.tasks) {
    await context.queue
      .dropTask(context.db, task.queue, task.id)
      .catch((error: unknown) =>
        context.logger.debug({ err: error }, "a cancelled task stays queued until it is taken"),
      );
  }
}
