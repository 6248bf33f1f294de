import type { TaskProgress } from "../domain/progress.ts";
import type { TaskKind } from "../domain/task-kind.ts";
import type { Db } from "./db.ts";

/**
 * Until the transaction ends, the queue is read in the order of its index. Postgres thinks that a queue is as short as it was at the last ANALYZE, and then sorts all of ten thousand tasks to
 * take the first one: 60 ms instead of 2.
 */
export async function readInIndexOrder(db: Db): Promise<void> {
  await db.query("SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)");
}

/** A task that has just been given to a worker, with what the worker must know of it. */
export type LeasedRow = {
  id: string;
  attempt: number;
  workerId: string;
  encodeId: string;
  videoId: string;
  kind: TaskKind;
  weight: number;
  place: number;
  work: unknown;
  sizeBytes: number;
  durationSeconds: number;
};

/**
 * Gives tasks to workers, as far as they wait: those that don't (cancelled, or deleted) aren't in the answer, nor are those that wait for another worker than this one, unless `toAnyone`.
 */
export async function startLeases(
  db: Db,
  leases: readonly { id: string; workerId: string }[],
  seconds: number,
  toAnyone = false,
): Promise<LeasedRow[]> {
  const { rows } = await db.query<{
    id: string;
    attempt: number;
    worker_id: string;
    encode_id: string;
    video_id: string;
    kind: TaskKind;
    weight: number;
    place: number;
    work: unknown;
    size_bytes: string;
    duration_seconds: number;
  }>(
    // "leased" as well: pg-boss gives a job that was active for a day to somebody else, and the new attempt fences the old one.
    `WITH leased AS (
       UPDATE tasks t SET state = 'leased', attempt = t.attempt + 1, worker_id = l.worker, leased_at = now(),
         lease_expires_at = now() + $3 * interval '1 second', frames = 0, fraction = 0, speed = 0
       FROM unnest($1::uuid[], $2::text[]) AS l(id, worker)
       WHERE t.id = l.id AND t.state IN ('waiting', 'leased')
         AND ($4 OR t.avoided_until IS NULL OR t.avoided_until < now() OR t.avoided_worker <> l.worker)
       RETURNING t.id, t.attempt, t.worker_id, t.encode_id, t.kind, t.weight, t.place, t.work
     )
     SELECT l.*, e.video_id, e.duration_seconds, v.size_bytes
     FROM leased l JOIN encodes e ON e.id = l.encode_id JOIN videos v ON v.id = e.video_id`,
    [leases.map((lease) => lease.id), leases.map((lease) => lease.workerId), seconds, toAnyone],
  );
  return rows.map((row) => ({
    id: row.id,
    attempt: row.attempt,
    workerId: row.worker_id,
    encodeId: row.encode_id,
    videoId: row.video_id,
    kind: row.kind,
    weight: row.weight,
    place: row.place,
    work: row.work ?? undefined,
    sizeBytes: Number(row.size_bytes),
    durationSeconds: row.duration_seconds,
  }));
}

/** A task that waits for another worker. */
export type AvoidingTask = { id: string; workerId: string; place: number; ownerId: string };

/** Those of some tasks that wait for another worker than the one at whose hands they failed. */
export async function listAvoiding(db: Db, ids: readonly string[]): Promise<AvoidingTask[]> {
  const { rows } = await db.query<{ id: string; avoided_worker: string; place: number; owner_id: string }>(
    `SELECT t.id, t.avoided_worker, t.place, e.owner_id FROM tasks t JOIN encodes e ON e.id = t.encode_id
     WHERE t.id = ANY($1::uuid[]) AND t.state IN ('waiting', 'leased') AND t.avoided_until >= now()`,
    [ids],
  );
  return rows.map((row) => ({ id: row.id, workerId: row.avoided_worker, place: row.place, ownerId: row.owner_id }));
}

/** A heartbeat as the database takes it. */
export type Renewal = { taskId: string; attempt: number } & TaskProgress;

/** A lease that is still held. */
export type Renewed = { taskId: string; attempt: number; encodeId: string; expires: Date; leasedForSeconds: number };

/**
 * Prolongs leases and notes their progress; the answer has those that are still held, with when they end. Doesn't wait until the disk has it: after a crash of the database every
 * lease is prolonged anyway (`extendLeases`), and hundreds a second would keep the disk from what must be there.
 */
export async function renewLeases(db: Db, renewals: readonly Renewal[], seconds: number): Promise<Renewed[]> {
  const { rows } = await db.query<{
    id: string;
    attempt: number;
    encode_id: string;
    lease_expires_at: Date;
    leased_for: number;
  }>(
    `WITH soon AS (SELECT set_config('synchronous_commit', 'off', true))
     UPDATE tasks t SET lease_expires_at = now() + $6 * interval '1 second', frames = r.frames, fraction = r.fraction, speed = r.speed
     FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::double precision[], $5::double precision[])
       AS r(id, attempt, frames, fraction, speed), soon
     WHERE t.id = r.id AND t.attempt = r.attempt AND t.state = 'leased'
     RETURNING t.id, t.attempt, t.encode_id, t.lease_expires_at,
       extract(epoch FROM now() - t.leased_at)::double precision AS leased_for`,
    [
      renewals.map((one) => one.taskId),
      renewals.map((one) => one.attempt),
      renewals.map((one) => Math.trunc(one.frames)),
      renewals.map((one) => one.fraction),
      renewals.map((one) => one.speed),
      seconds,
    ],
  );
  return rows.map((row) => ({
    taskId: row.id,
    attempt: row.attempt,
    encodeId: row.encode_id,
    expires: row.lease_expires_at,
    leasedForSeconds: row.leased_for,
  }));
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
