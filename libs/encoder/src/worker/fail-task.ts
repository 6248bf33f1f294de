import type { Context } from "../context.ts";
import { followUp } from "../encode/end-encode.ts";
import { announceTasks } from "../encode/queue-tasks.ts";
import { failTask, handBack } from "./hand-back.ts";
import { type Lease, leaseGone, lockLease } from "./locked-task.ts";

/** Why a worker gives a task up. */
export type Failure = { kind: "input" | "machine" | "returned"; message: string; crashed?: boolean };

/** Takes a worker's report that it could not do a task. */
export async function reportFailure(
  context: Context,
  lease: Lease,
  failure: Failure,
  signal: AbortSignal,
): Promise<void> {
  const outcome = await context.db.transact(signal, async (db) => {
    const locked = await lockLease(db, lease);
    if (locked?.standing === "lost") throw leaseGone("lost");
    if (locked?.standing !== "held") return undefined; // repeated, or nobody waits for it any more
    const { encode, task } = locked;
    const { kind, message, crashed = false } = failure;
    context.logger.info(
      { encodeId: encode.id, ...lease, worker: task.workerId, failure: kind, reason: message },
      "a worker gave a task up",
    );
    const ended =
      kind === "input"
        ? await failTask(context, db, encode, task, { reason: message, error: message, retryable: false })
        : await handBack(context, db, encode, task, kind === "machine" ? { message, crashed } : undefined);
    return { ended, queue: task.queue };
  });
  if (outcome === undefined) return;
  await followUp(context, outcome.ended);
  announceTasks(context, [outcome.queue]);
}
