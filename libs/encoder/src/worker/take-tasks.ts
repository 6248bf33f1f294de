import type { Context } from "../context.ts";
import { type EncodeEvent, transition } from "../domain/encode-state.ts";
import { leaseSeconds, type TaskKind } from "../domain/lease.ts";
import type { Db } from "../store/db.ts";
import { lockEncode, updateEncode } from "../store/encode.store.ts";
import { findTask, lockTask, startLease } from "../store/task.store.ts";

/** A task in the hands of a worker. */
export type LeasedTask = { taskId: string; attempt: number; encodeId: string; kind: TaskKind };

/** What a task being leased, or being handed back, means for its encode. */
export const leased: Readonly<Record<TaskKind, EncodeEvent>> = { probe: "probe leased", encode: "encode leased" };

/** Leases tasks of a queue: one for each worker, as far as there are any. */
export async function takeTasks(
  context: Context,
  queue: string,
  workerIds: readonly string[],
  signal: AbortSignal,
): Promise<LeasedTask[]> {
  const tasks = await context.db.transact(signal, async (db) => {
    const taken: LeasedTask[] = [];
    for (let missing = workerIds.length; missing > 0; missing = workerIds.length - taken.length) {
      const ids = await context.queue.takeTasks(db, queue, missing);
      for (const id of ids) {
        const task = await leaseOne(db, id, workerIds[taken.length] ?? "");
        if (task !== undefined) taken.push(task);
        else await context.queue.dropTask(db, queue, id); // cancelled or deleted while it waited
      }
      if (ids.length < missing) break;
    }
    return taken;
  });
  for (const task of tasks) context.encodeChanged.notify(task.encodeId);
  return tasks;
}

async function leaseOne(db: Db, taskId: string, workerId: string): Promise<LeasedTask | undefined> {
  const found = await findTask(db, taskId);
  const encode = found && (await lockEncode(db, found.encodeId));
  const task = encode && (await lockTask(db, taskId));
  // `leased` as well: pg-boss gives a job that was active for a day to somebody else, and the new attempt fences the old one.
  if (encode === undefined || task === undefined || (task.state !== "waiting" && task.state !== "leased"))
    return undefined;
  const state = task.state === "leased" ? encode.state : transition(encode.state, leased[task.kind]);
  if (state === undefined) return undefined;
  const attempt = await startLease(db, taskId, workerId, leaseSeconds);
  await updateEncode(db, encode.id, state);
  return { taskId, attempt, encodeId: encode.id, kind: task.kind };
}
