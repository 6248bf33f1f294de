import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import type { TaskKind } from "../domain/task-kind.ts";
import { type Advanced, announceAdvance } from "../encode/advance-encode.ts";
import type { Db } from "../store/db.ts";
import { findTask } from "../store/task.store.ts";
import { type Lease, type LockedTask, leaseGone, lockLease } from "./locked-task.ts";

/**
 * Ends a task with its result, unless that has happened under the same lease before. `apply` writes the result and moves the encode on, in one transaction. Whoever knows the task's encode says so: it
 * needn't be looked for then.
 */
export async function settleTask(
  context: Context,
  { encodeId: known, ...lease }: Lease & { encodeId?: string | undefined },
  kind: TaskKind,
  signal: AbortSignal,
  apply: (db: Db, locked: LockedTask) => Promise<Advanced | undefined>,
): Promise<void> {
  const encodeId = known ?? (await findTask(context.db, lease.taskId))?.encodeId;
  if (encodeId === undefined) throw leaseGone("cancelled");
  const settle = async (db: Db) => {
    const locked = await lockLease(db, lease);
    if (locked === undefined) throw leaseGone("cancelled");
    const { standing, task } = locked;
    if (task.kind !== kind) {
      throw new DomainError(
        "invalid",
        `This is the result of a task of kind ${kind}, but the task is of kind ${task.kind}.`,
      );
    }
    if (standing === "completed") return undefined;
    if (standing !== "held") throw leaseGone(standing);
    // First, because `apply` may find that the task must be done again, and queue it.
    await context.queue.dropTasks(db, task.queue, [task.id]);
    return { locked, advanced: await apply(db, locked) };
  };
  const done = await context.settleTurns.take(encodeId, signal, () => context.db.transact(signal, settle));
  if (done === undefined) return;
  const { encode, task } = done.locked;
  context.logger.debug({ encodeId: encode.id, ...lease, worker: task.workerId, kind }, "a worker completed a task");
  context.encodeChanged.notify(encode.id);
  if (done.advanced) await announceAdvance(context, done.advanced);
  context.queue.wake();
}
