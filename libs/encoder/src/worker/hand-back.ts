import type { Context } from "../context.ts";
import { type EncodeEvent, transition } from "../domain/encode-state.ts";
import { afterFault, type TaskKind } from "../domain/lease.ts";
import { sendCleanup } from "../encode/cleanup.ts";
import { attemptPrefixes, type Ended, endEncode } from "../encode/end-encode.ts";
import type { Db } from "../store/db.ts";
import { type LockedEncode, updateEncode } from "../store/encode.store.ts";
import { endTask, returnTask, type TaskRecord } from "../store/task.store.ts";

const handedBack: Readonly<Record<TaskKind, EncodeEvent>> = {
  probe: "probe handed back",
  encode: "encode handed back",
};

/**
 * Ends the lease of a locked task without a result, so that another worker may try; what the attempt wrote is removed. With a machine's `fault`
 * the encode fails when there were too many. After the commit, call `followUp` with the answer, and wake the task's queue.
 */
export async function handBack(
  context: Pick<Context, "queue">,
  db: Db,
  encode: LockedEncode,
  task: TaskRecord,
  fault?: string,
): Promise<Ended> {
  const faults = task.faults + (fault === undefined ? 0 : 1);
  const decision = fault === undefined ? ({ retry: true, delaySeconds: 0 } as const) : afterFault(faults, fault);
  if (!decision.retry) return await failTask(context, db, encode, task, decision.error);
  const state = transition(encode.state, handedBack[task.kind]);
  if (state !== undefined) await updateEncode(db, encode.id, state);
  await returnTask(db, task.id, faults);
  await context.queue.requeueTask(db, task.queue, task.id, decision.delaySeconds);
  await sendCleanup(context, db, { prefixes: attemptPrefixes(encode, task) });
  return { encodeId: encode.id, tasks: [] };
}

/** Fails the encode of a locked task for good. After the commit, call `followUp` with the answer. */
export async function failTask(
  context: Pick<Context, "queue">,
  db: Db,
  encode: LockedEncode,
  task: TaskRecord,
  error: string,
): Promise<Ended> {
  await endTask(db, task.id, "failed");
  await sendCleanup(context, db, { prefixes: attemptPrefixes(encode, task) });
  const ended = await endEncode(context, db, encode, "failed", error);
  return { encodeId: encode.id, tasks: [...(ended?.tasks ?? []), task] };
}
