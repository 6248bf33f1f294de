import type { TaskKind, TaskState } from "../domain/lease.ts";
import type { TaskProgress } from "../domain/progress.ts";
import type { Db } from "./db.ts";

/** A task. */
export type TaskRecord = {
  id: string;
  encodeId: string;
  kind: TaskKind;
  queue: string;
  state: TaskState;
  attempt: number;
  faults: number;
  workerId: string;
};

type Row = {
  id: string;
  encode_id: string;
  kind: TaskKind;
  queue: string;
  state: TaskState;
  attempt: number;
  faults: number;
  worker_id: string | null;
};

const columns = "id, encode_id, kind, queue, state, attempt, faults, worker_id";

const recordOf = (row: Row): TaskRecord => ({
  id: row.id,
  encodeId: row.encode_id,
  kind: row.kind,
  queue: row.queue,
  state: row.state,
  attempt: row.attempt,
  faults: row.faults,
  workerId: row.worker_id ?? "",
});

/** Makes a task that waits. */
export async function insertTask(
  db: Db,
  task: { id: string; encodeId: string; kind: TaskKind; queue: string },
): Promise<void> {
  await db.query("INSERT INTO tasks (id, encode_id, kind, queue, state) VALUES ($1, $2, $3, $4, 'waiting')", [
    task.id,
    task.encodeId,
    task.kind,
    task.queue,
  ]);
}

/** A task as it is at this moment. */
export async function findTask(db: Db, id: string): Promise<TaskRecord | undefined> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM tasks WHERE id = $1`, [id]);
  return rows.map(recordOf)[0];
}

/** Locks a task; its encode must be locked already. */
export async function lockTask(db: Db, id: string): Promise<TaskRecord | undefined> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM tasks WHERE id = $1 FOR UPDATE`, [id]);
  return rows.map(recordOf)[0];
}

/** Gives a locked task that waits to a worker; the answer is the attempt. */
export async function startLease(db: Db, id: string, workerId: string, seconds: number): Promise<number> {
  const { rows } = await db.query<{ attempt: number }>(
    `UPDATE tasks SET state = 'leased', attempt = attempt + 1, worker_id = $2, leased_at = now(),
       lease_expires_at = now() + $3 * interval '1 second', frames = 0, fraction = 0, speed = 0
     WHERE id = $1 RETURNING attempt`,
    [id, workerId, seconds],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("The task to lease is gone.");
  return row.attempt;
}

/** Prolongs a lease and notes its progress. Undefined if it isn't held any more. */
export async function renewLease(
  db: Db,
  lease: { taskId: string; attempt: number },
  progress: TaskProgress,
  seconds: number,
): Promise<{ encodeId: string; expires: Date } | undefined> {
  const { rows } = await db.query<{ encode_id: string; lease_expires_at: Date }>(
    `UPDATE tasks SET lease_expires_at = now() + $3 * interval '1 second', frames = $4, fraction = $5, speed = $6
     WHERE id = $1 AND attempt = $2 AND state = 'leased' RETURNING encode_id, lease_expires_at`,
    [lease.taskId, lease.attempt, seconds, progress.frames, progress.fraction, progress.speed],
  );
  return rows[0] && { encodeId: rows[0].encode_id, expires: rows[0].lease_expires_at };
}

/** Ends a locked task; a failed one keeps its last report. */
export async function endTask(db: Db, id: string, state: "done" | "failed", frames = 0): Promise<void> {
  await db.query(
    `UPDATE tasks SET state = $2, lease_expires_at = NULL,
       fraction = CASE WHEN $2 = 'done' THEN 1 ELSE fraction END,
       frames = CASE WHEN $2 = 'done' THEN $3 ELSE frames END
     WHERE id = $1`,
    [id, state, frames],
  );
}

/** Lets a locked task wait again. */
export async function returnTask(db: Db, id: string, faults: number): Promise<void> {
  await db.query(
    `UPDATE tasks SET state = 'waiting', faults = $2, lease_expires_at = NULL, frames = 0, fraction = 0, speed = 0 WHERE id = $1`,
    [id, faults],
  );
}

/** Cancels what is left of a locked encode's tasks; the answer lists them as they were before. */
export async function cancelTasks(db: Db, encodeId: string): Promise<TaskRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM tasks WHERE encode_id = $1 AND state IN ('waiting', 'leased') ORDER BY id FOR UPDATE`,
    [encodeId],
  );
  await db.query("UPDATE tasks SET state = 'cancelled' WHERE id = ANY($1::uuid[])", [rows.map((row) => row.id)]);
  return rows.map(recordOf);
}

/** Leases that have ended without another heartbeat. */
export async function listExpiredLeases(db: Db, limit: number): Promise<{ taskId: string; attempt: number }[]> {
  const { rows } = await db.query<{ id: string; attempt: number }>(
    "SELECT id, attempt FROM tasks WHERE state = 'leased' AND lease_expires_at < now() ORDER BY lease_expires_at LIMIT $1",
    [limit],
  );
  return rows.map((row) => ({ taskId: row.id, attempt: row.attempt }));
}

/** Whether a lease is still one that has ended: asked again under the lock. */
export async function hasExpired(db: Db, lease: { taskId: string; attempt: number }): Promise<boolean> {
  const { rowCount } = await db.query(
    "SELECT FROM tasks WHERE id = $1 AND attempt = $2 AND state = 'leased' AND lease_expires_at < now()",
    [lease.taskId, lease.attempt],
  );
  return rowCount === 1;
}

/** Gives every lease at least so long from now: nobody could send a heartbeat while we were away. */
export async function extendLeases(db: Db, seconds: number): Promise<void> {
  await db.query(
    "UPDATE tasks SET lease_expires_at = now() + $1 * interval '1 second' WHERE state = 'leased' AND lease_expires_at < now() + $1 * interval '1 second'",
    [seconds],
  );
}
