import { DomainError } from "@kinora/rpc";
import { type LeaseStanding, leaseStanding } from "../domain/lease.ts";
import type { Db } from "../store/db.ts";
import type { LockedEncode } from "../store/locked-encode.store.ts";
import { lockTaskAndEncode } from "../store/locked-task.store.ts";
import type { TaskRecord } from "../store/task.store.ts";

/** A worker's claim on a task. */
export type Lease = { taskId: string; attempt: number };

/** A task and its encode under lock, and how a lease of it stands. */
export type LockedTask = { standing: LeaseStanding; task: TaskRecord; encode: LockedEncode };

/** Locks a task with its encode; undefined if it was deleted. */
export async function lockLease(db: Db, lease: Lease): Promise<LockedTask | undefined> {
  const locked = await lockTaskAndEncode(db, lease.taskId);
  return locked && { standing: leaseStanding(locked.task, lease.attempt), ...locked };
}

/** What a worker is told whose lease doesn't count any more. */
export function leaseGone(standing: Exclude<LeaseStanding, "held">): DomainError {
  const why = {
    completed: "the task is complete",
    failed: "the task has failed",
    returned: "the lease has ended and the task waits for another worker",
    cancelled: "the encode was cancelled",
    lost: "another worker has the task",
  }[standing];
  return new DomainError("aborted", `Drop the task and its results: ${why}.`);
}
