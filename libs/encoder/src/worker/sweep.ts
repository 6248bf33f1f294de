import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context.ts";
import { leaseSeconds } from "../domain/lease.ts";
import { taskQueues } from "../domain/task-kind.ts";
import { followUp } from "../encode/end-encode.ts";
import { announceTasks } from "../encode/queue-tasks.ts";
import { extendLeases, hasExpired, listExpiredLeases } from "../store/lease.store.ts";
import { listWaiting } from "../store/task.store.ts";
import { handBack } from "./hand-back.ts";
import { type Lease, lockLease } from "./locked-task.ts";

/** Time between two looks for expired leases, in milliseconds. */
export const sweepMs = 1_500;

const batch = 100;

/** Time between two looks for tasks without a job, in milliseconds; and how long, in seconds, a task must have waited by then. */
const mendMs = 15_000;
const mendAfterSeconds = 20;
const mendBatch = 5_000;

/**
 * Hands back the tasks of workers that have fallen silent, every few seconds until the signal aborts. When heartbeats could not reach the database (at
 * the start, and after an outage), leases are prolonged first: the workers may be well.
 */
export async function sweepLeases(context: Context, signal: AbortSignal): Promise<void> {
  let blind = true;
  let mendedAt = performance.now();
  while (!signal.aborted) {
    try {
      if (blind) await extendLeases(context.db, leaseSeconds);
      blind = false;
      for (const lease of await listExpiredLeases(context.db, batch)) await expire(context, lease, signal);
      if (performance.now() - mendedAt > mendMs) {
        await mendQueues(context);
        mendedAt = performance.now();
      }
    } catch (error) {
      if (signal.aborted) return;
      blind = true;
      context.logger.warn({ err: error }, "could not look for workers that have fallen silent");
    }
    await sleep(sweepMs, undefined, { signal }).catch(() => {});
  }
}

async function expire(context: Context, lease: Lease, signal: AbortSignal): Promise<void> {
  const outcome = await context.db.transact(signal, async (db) => {
    const locked = await lockLease(db, lease);
    if (locked?.standing !== "held" || !(await hasExpired(db, lease))) return undefined;
    const { encode, task } = locked;
    context.logger.warn({ encodeId: encode.id, ...lease, worker: task.workerId }, "a worker has fallen silent");
    const fault = { message: "The machine that worked on it stopped answering.", crashed: false };
    const ended = await handBack(context, db, encode, task, fault);
    return { ended, queue: task.queue };
  });
  if (outcome === undefined) return;
  await followUp(context, outcome.ended);
  announceTasks(context, [outcome.queue]);
}

/** Queues waiting tasks that have no job, whatever became of it: an encoder of an earlier release drops those that it doesn't know. */
async function mendQueues(context: Context): Promise<void> {
  for (const queue of taskQueues) {
    // Those that have a job keep it as it is.
    await context.queue.sendTasks(context.db, queue, await listWaiting(context.db, queue, mendAfterSeconds, mendBatch));
  }
}
