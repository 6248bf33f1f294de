import { DomainError } from "@kinora/rpc";
import { type LeaseStanding, leaseStanding } from "../domain/lease.ts";
import type { Db } from "../store/db.ts";
import { type LockedEncode, lockEncode } from "../store/encode.store.ts";
import { findTask, lockTask, type TaskRecord } from "../store/task.store.ts";

/** A worker's claim on a task. */
export type Lease = { taskId: string; attempt: number };

/** A task and its encode under lock, and how a lease of it stands. */
export type LockedTask = { standing: LeaseStanding; task: TaskRecord; encode: LockedEncode };

/** Locks a task with its encode; undefined if it was deleted. */
export async function lockLease(db: Db, lease: Lease): Promise<LockedTask | undefined> {
  const found = await findTask(db, lease.taskId);
  const encode = found && (await lockEncode(db, found.encodeId));
  const task = encode && (await lockTask(db, lease.taskId));
  return encode && task && { standing: leaseStanding(task, lease.attempt), task, encode };
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
