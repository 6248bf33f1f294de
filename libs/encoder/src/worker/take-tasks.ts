import type { Context } from "../context.ts";
import { leaseSeconds } from "../domain/lease.ts";
import { lightQueue } from "../domain/task-kind.ts";
import { startOf } from "../queue/fair-order.ts";
import { type LeasedRow, readInIndexOrder, startLeases } from "../store/lease.store.ts";
import type { LeaseNotes } from "./lease-notes.ts";

/** A task in the hands of a worker. */
export type LeasedTask = Omit<LeasedRow, "id"> & { taskId: string };

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
  if (taken.length > 0) {
    const start = queue === lightQueue ? undefined : Math.max(...taken.map((row) => startOf(row.place)));
    const noted = notes.note(
      taken.map((row) => row.encodeId),
      start,
    );
    // A probe that is handed back takes its encode's state back: the note must not come after that. Whoever waits for a chunk needn't wait for it.
    if (queue === lightQueue) await noted;
  }
  return taken.map(({ id, ...row }) => ({ ...row, taskId: id }));
}
