import type { Context } from "../context.ts";
import { type EncodeEvent, transition } from "../domain/encode-state.ts";
import { afterFault, type Fault } from "../domain/lease.ts";
import { attemptPrefix } from "../domain/object-keys.ts";
import { type TaskKind, taskName } from "../domain/task-kind.ts";
import { sendCleanup } from "../encode/cleanup.ts";
import { type Ended, endEncode } from "../encode/end-encode.ts";
import type { Db } from "../store/db.ts";
import { type LockedEncode, updateEncode } from "../store/locked-encode.store.ts";
import type { TaskRecord } from "../store/task.store.ts";
import { failTaskRow, returnTask } from "../store/task-state.store.ts";

/** What it means for an encode that the task which is all of its present work is handed back. */
const handedBack: Partial<Record<TaskKind, EncodeEvent>> = {
  probe: "probe handed back",
  encode: "whole encode handed back",
};

/**
 * Ends the lease of a locked task without a result, so that another worker may try; what the attempt wrote is removed. With a `fault` the encode
 * fails when there were too many. After the commit, call `followUp` with the answer, and wake the task's queue.
 */
export async function handBack(
  context: Pick<Context, "queue">,
  db: Db,
  encode: LockedEncode,
  task: TaskRecord,
  fault?: Fault,
): Promise<Ended> {
  const faults = task.faults + (fault === undefined ? 0 : 1);
  const crashes = task.crashes + (fault?.crashed ? 1 : 0);
  const decision =
    fault === undefined
      ? ({ retry: true, delaySeconds: 0 } as const)
      : afterFault({ kind: task.kind, faults, crashes }, fault, taskName(task.kind, task.chunk));
  if (!decision.retry) return await failTask(context, db, encode, task, { ...decision, retryable: true });
  const event = handedBack[task.kind];
  const state = event && transition(encode.state, event);
  if (state !== undefined) await updateEncode(db, encode.id, state);
  await returnTask(db, task.id, { faults, crashes }, fault?.message);
  const queued = { id: task.id, place: task.place, ownerId: encode.ownerId };
  await context.queue.requeueTask(db, task.queue, queued, decision.delaySeconds);
  // Sound that was brought can be played until another attempt has brought as much; it is removed then.
  if (task.kind !== "audio") await sendCleanup(context, db, { prefixes: [attemptPrefix(encode, task)] });
  return { encodeId: encode.id, tasks: [] };
}

/** Gives a locked task up, for a `reason`, and its encode with it, with an `error` for whoever sent the video. After the commit, call `followUp` with the answer. */
export async function failTask(
  context: Pick<Context, "queue">,
  db: Db,
  encode: LockedEncode,
  task: TaskRecord,
  failure: { reason: string; error: string; retryable: boolean },
): Promise<Ended> {
  const { reason, error } = failure;
  await failTaskRow(db, task.id, reason);
  // An encode of an earlier release begins anew, as a plan of chunks, when its owner starts another one.
  const retryable = failure.retryable && task.kind !== "encode";
  const ended = await endEncode(context, db, encode, "failed", { error, retryable });
  return { encodeId: encode.id, tasks: [...(ended?.tasks ?? []), task] };
}
