import type { Context } from "../context.ts";
import { leaseSeconds, leaseStanding } from "../domain/lease.ts";
import type { TaskProgress } from "../domain/progress.ts";
import { findTask, renewLease } from "../store/task.store.ts";
import { type Lease, leaseGone } from "./locked-task.ts";

/** What a worker is to do next. */
export type HeartbeatAnswer = { proceed: boolean; leaseExpires: Date | undefined };

/** Keeps a lease and notes its progress; throws `aborted` if it doesn't count any more. */
export async function heartbeat(context: Context, lease: Lease, progress: TaskProgress): Promise<HeartbeatAnswer> {
  const renewed = await renewLease(context.db, lease, progress, leaseSeconds);
  if (renewed !== undefined) {
    context.encodeChanged.notify(renewed.encodeId);
    return { proceed: true, leaseExpires: renewed.expires };
  }
  const standing = leaseStanding(await findTask(context.db, lease.taskId), lease.attempt);
  if (standing === "cancelled") return { proceed: false, leaseExpires: undefined };
  // A heartbeat that was under way while the task was completed, or a lease that began between our two questions.
  if (standing === "completed" || standing === "held") return { proceed: true, leaseExpires: undefined };
  throw leaseGone(standing);
}
