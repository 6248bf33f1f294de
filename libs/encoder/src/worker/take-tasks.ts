import type { Context } from "../context.ts";
import { leaseSeconds } from "../domain/lease.ts";
import { lightQueue } from "../domain/task-kind.ts";
import { startOf } from "../queue/fair-order.ts";
import { noteLeased } from "../store/encode.store.ts";
import { moveFairClock } from "../store/fairness.store.ts";
import { type LeasedRow, startLeases } from "../store/task.store.ts";

/** A task in the hands of a worker. */
export type LeasedTask = Omit<LeasedRow, "id"> & { taskId: string };

/** Leases tasks of a queue: one for each worker, as far as there are any. */
export async function takeTasks(
  context: Context,
  queue: string,
  workerIds: readonly string[],
  signal: AbortSignal,
): Promise<LeasedTask[]> {
  const taken = await context.db.transact(signal, async (db) => {
    const rows: LeasedRow[] = [];
    for (let missing = workerIds.length; missing > 0; missing = workerIds.length - rows.length) {
      const ids = await context.queue.takeTasks(db, queue, missing, context.perPersonCap);
      if (ids.length === 0) break;
      const leases = ids.map((id, index) => ({ id, workerId: workerIds[rows.length + index] ?? "" }));
      const leased = await startLeases(db, leases, leaseSeconds);
      rows.push(...leased);
      const held = new Set(leased.map((row) => row.id));
      const gone = ids.filter((id) => !held.has(id)); // cancelled or deleted while they waited
      await context.queue.dropTasks(db, queue, gone);
      if (ids.length < missing) break;
    }
    return rows;
  });
  if (taken.length > 0) await follow(context, queue, taken);
  return taken.map(({ id, ...row }) => ({ ...row, taskId: id }));
}

/** What others see of the leases. If it is lost, the next lease of the encode makes up for it. */
async function follow(context: Context, queue: string, taken: readonly LeasedRow[]): Promise<void> {
  const encodeIds = [...new Set(taken.map((row) => row.encodeId))];
  try {
    await noteLeased(context.db, encodeIds);
    if (queue !== lightQueue) await moveFairClock(context.db, Math.max(...taken.map((row) => startOf(row.place))));
  } catch (error) {
    context.logger.debug({ err: error }, "could not note that work on encodes has begun");
  }
  for (const id of encodeIds) context.encodeChanged.notify(id);
}
