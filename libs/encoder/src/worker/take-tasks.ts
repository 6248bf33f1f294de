import type { Context } from "../context.ts";
import { leaseSeconds } from "../domain/lease.ts";
import { familyOf, lightQueue } from "../domain/task-kind.ts";
import { startOf } from "../queue/fair-order.ts";
import {
  type AvoidingTask,
  type LeasedRow,
  listAvoiding,
  readInIndexOrder,
  startLeases,
} from "../store/lease.store.ts";
import { hasOtherWorker } from "../store/worker.store.ts";
import type { LeaseNotes } from "./lease-notes.ts";

/** A task in the hands of a worker. */
export type LeasedTask = Omit<LeasedRow, "id"> & { taskId: string };

/** So long a task that waits for another worker is left alone, in seconds. */
const pauseSeconds = 1;

/** Leases tasks of a queue: one for each worker, as far as there are any. */
export async function takeTasks(
  context: Context,
  notes: LeaseNotes,
  queue: string,
  workerIds: readonly string[],
  signal: AbortSignal,
): Promise<LeasedTask[]> {
  const taken = await context.db.transact(signal, async (db) => {
    await readInIndexOrder(db);
    const rows: LeasedRow[] = [];
    const free = [...workerIds];
    const lease = async (leases: readonly { id: string; workerId: string }[], toAnyone = false) => {
      const leased = await startLeases(db, leases, leaseSeconds, toAnyone);
      for (const { workerId } of leased) free.splice(free.indexOf(workerId), 1);
      rows.push(...leased);
    };
    /** Finds another worker for tasks that have failed at the hands of theirs: one who asks now, or one who is there and will. */
    const leaseElsewhere = async (tasks: readonly AvoidingTask[]) => {
      for (const task of tasks) {
        const { id } = task;
        const other = free.find((workerId) => workerId !== task.workerId);
        const [any] = free;
        if (other !== undefined) await lease([{ id, workerId: other }]);
        else if (any !== undefined && !(await hasOtherWorker(db, task.workerId, familyOf(queue)))) {
          await lease([{ id, workerId: any }], true);
        } else await context.queue.requeueTask(db, queue, task, pauseSeconds);
      }
    };
    while (free.length > 0) {
      const missing = free.length;
      const ids = await context.queue.takeTasks(db, queue, missing, context.perPersonCap);
      if (ids.length === 0) break;
      const pairs = ids.map((id, index) => ({ id, workerId: free[index] ?? "" }));
      await lease(pairs, !context.triesElsewhere);
      const held = new Set(rows.map((row) => row.id));
      const left = ids.filter((id) => !held.has(id));
      if (left.length > 0) {
        const avoiding = await listAvoiding(db, left);
        await leaseElsewhere(avoiding);
        const kept = new Set(avoiding.map(({ id }) => id));
        // Cancelled or deleted while they waited.
        await context.queue.dropTasks(
          db,
          queue,
          left.filter((id) => !kept.has(id)),
        );
      }
      if (ids.length < missing) break;
    }
    return rows;
  });
  if (taken.length > 0) {
    const noted = notes.note(
      taken.map((row) => row.encodeId),
      queue === lightQueue ? "light" : "heavy",
      Math.max(...taken.map((row) => startOf(row.place))),
    );
    // A probe that is handed back takes its encode's state back: the note must not come after that. Whoever waits for a chunk needn't wait for it.
    if (queue === lightQueue) await noted;
  }
  return taken.map(({ id, ...row }) => ({ ...row, taskId: id }));
}
