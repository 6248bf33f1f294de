import type { TaskState } from "../domain/lease.ts";
import type { TaskProgress } from "../domain/progress.ts";
import type { TaskKind } from "../domain/task-kind.ts";
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
  /** The chunk that it encodes, counted from 0. */
  chunk: number | undefined;
  /** Which segments of which tracks it makes. */
  tracks: string[];
  firstSegment: number;
  segments: number;
  /** Its part of the encode's work, in seconds of video. */
  weight: number;
  place: number;
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
  chunk: number | null;
  tracks: string[];
  first_segment: number;
  segments: number;
  weight: number;
  place: number;
};

const columns =
  "id, encode_id, kind, queue, state, attempt, faults, worker_id, chunk, tracks, first_segment, segments, weight, place";

const recordOf = (row: Row): TaskRecord => ({
  id: row.id,
  encodeId: row.encode_id,
  kind: row.kind,
  queue: row.queue,
  state: row.state,
  attempt: row.attempt,
  faults: row.faults,
  workerId: row.worker_id ?? "",
  chunk: row.chunk ?? undefined,
  tracks: row.tracks,
  firstSegment: row.first_segment,
  segments: row.segments,
  weight: row.weight,
  place: row.place,
});

/** A task to be made; `work` is its message as JSON, left out where it is put together when the task is leased. */
export type NewTask = {
  id: string;
  kind: TaskKind;
  queue: string;
  chunk?: number | undefined;
  tracks?: string[];
  firstSegment?: number;
  segments?: number;
  weight: number;
  place: number;
  work?: string | undefined;
};

/** Makes tasks that wait. */
export async function insertTasks(db: Db, encodeId: string, tasks: readonly NewTask[]): Promise<void> {
  if (tasks.length === 0) return;
  await db.query(
    `INSERT INTO tasks (id, encode_id, kind, queue, state, chunk, tracks, first_segment, segments, weight, place, work)
     SELECT id, $1, kind, queue, 'waiting', chunk, tracks, first_segment, segments, weight, place, work
     FROM jsonb_to_recordset($2::jsonb) AS t(id uuid, kind text, queue text, chunk integer, tracks text[],
       first_segment integer, segments integer, weight double precision, place integer, work jsonb)`,
    [
      encodeId,
      JSON.stringify(
        tasks.map(({ work, firstSegment = 0, tracks = [], segments = 0, ...task }) => ({
          ...task,
          tracks,
          segments,
          first_segment: firstSegment,
          work: work === undefined ? null : JSON.parse(work),
        })),
      ),
    ],
  );
}

/** A task as it is at this moment. */
export async function findTask(db: Db, id: string): Promise<TaskRecord | undefined> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM tasks WHERE id = $1`, [id]);
  return rows.map(recordOf)[0];
}

/** Every task of an encode. */
export async function listTasks(db: Db, encodeId: string): Promise<TaskRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM tasks WHERE encode_id = $1 ORDER BY created_at, place DESC`,
    [encodeId],
  );
  return rows.map(recordOf);
}

/** Locks a task; its encode must be locked already. */
export async function lockTask(db: Db, id: string): Promise<TaskRecord | undefined> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM tasks WHERE id = $1 FOR UPDATE`, [id]);
  return rows.map(recordOf)[0];
}

/** A task that has just been given to a worker, with what the worker must know of it. */
export type LeasedRow = {
  id: string;
  attempt: number;
  encodeId: string;
  videoId: string;
  kind: TaskKind;
  weight: number;
  place: number;
  work: unknown;
  sizeBytes: number;
  durationSeconds: number;
};

/** Gives tasks to workers, as far as they wait; those that don't (cancelled, or deleted) aren't in the answer. */
export async function startLeases(
  db: Db,
  leases: readonly { id: string; workerId: string }[],
  seconds: number,
): Promise<LeasedRow[]> {
  const { rows } = await db.query<{
    id: string;
    attempt: number;
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
       RETURNING t.id, t.attempt, t.encode_id, t.kind, t.weight, t.place, t.work
     )
     SELECT l.*, e.video_id, e.duration_seconds, v.size_bytes
     FROM leased l JOIN encodes e ON e.id = l.encode_id JOIN videos v ON v.id = e.video_id`,
    [leases.map((lease) => lease.id), leases.map((lease) => lease.workerId), seconds],
  );
  return rows.map((row) => ({
    id: row.id,
    attempt: row.attempt,
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

/** A heartbeat as the database takes it. */
export type Renewal = { taskId: string; attempt: number } & TaskProgress;

/** Prolongs leases and notes their progress; the answer has those that are still held, with when they end. */
export async function renewLeases(
  db: Db,
  renewals: readonly Renewal[],
  seconds: number,
): Promise<{ taskId: string; attempt: number; encodeId: string; expires: Date }[]> {
  const { rows } = await db.query<{ id: string; attempt: number; encode_id: string; lease_expires_at: Date }>(
    `UPDATE tasks t SET lease_expires_at = now() + $6 * interval '1 second', frames = r.frames, fraction = r.fraction, speed = r.speed
     FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::double precision[], $5::double precision[])
       AS r(id, attempt, frames, fraction, speed)
     WHERE t.id = r.id AND t.attempt = r.attempt AND t.state = 'leased'
     RETURNING t.id, t.attempt, t.encode_id, t.lease_expires_at`,
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
  }));
}

/** What is kept of a task that is done. */
export type Done = {
  frames?: number;
  /** The result's message, as JSON. */
  result?: string;
  seconds?: number;
  /** Segments of each track, where that wasn't known before. */
  segments?: number;
  tracks?: readonly { bytes: number; measured: number; xpsnr: number }[];
};

/** Ends a locked task with its result. */
export async function finishTask(db: Db, id: string, done: Done): Promise<void> {
  const tracks = done.tracks ?? [];
  await db.query(
    `UPDATE tasks SET state = 'done', lease_expires_at = NULL, fraction = 1, frames = $2, result = $3, seconds = $4, done_at = now(),
       track_bytes = $5, track_measured = $6, track_xpsnr = $7, segments = coalesce($8, segments), error = ''
     WHERE id = $1`,
    [
      id,
      done.frames ?? 0,
      done.result ?? null,
      done.seconds ?? null,
      tracks.map((track) => track.bytes),
      tracks.map((track) => track.measured),
      tracks.map((track) => track.xpsnr),
      done.segments ?? null,
    ],
  );
}

/** Gives a locked task up; it keeps its last report. */
export async function failTaskRow(db: Db, id: string, error: string): Promise<void> {
  await db.query("UPDATE tasks SET state = 'failed', lease_expires_at = NULL, error = $2 WHERE id = $1", [id, error]);
}

/** Lets a locked task wait again. */
export async function returnTask(db: Db, id: string, faults: number, error = ""): Promise<void> {
  await db.query(
    `UPDATE tasks SET state = 'waiting', faults = $2, lease_expires_at = NULL, frames = 0, fraction = 0, speed = 0, error = $3 WHERE id = $1`,
    [id, faults, error],
  );
}

/** Cancels what is left of a locked encode's tasks; the answer lists them as they were before. */
export async function cancelTasks(db: Db, encodeId: string): Promise<TaskRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM tasks WHERE encode_id = $1 AND state IN ('waiting', 'leased') ORDER BY id FOR UPDATE`,
    [encodeId],
  );
  await db.query("UPDATE tasks SET state = 'cancelled', lease_expires_at = NULL WHERE id = ANY($1::uuid[])", [
    rows.map((row) => row.id),
  ]);
  return rows.map(recordOf);
}

/** Removes tasks of a locked encode. */
export async function deleteTasks(db: Db, ids: readonly string[]): Promise<void> {
  await db.query("DELETE FROM tasks WHERE id = ANY($1::uuid[])", [ids]);
}

/** Lets the unfinished tasks of a locked encode wait again, with all their tries; the answer lists them. */
export async function reviveTasks(db: Db, encodeId: string): Promise<TaskRecord[]> {
  const { rows } = await db.query<Row>(
    `UPDATE tasks SET state = 'waiting', faults = 0, frames = 0, fraction = 0, speed = 0, error = ''
     WHERE encode_id = $1 AND state IN ('failed', 'cancelled') RETURNING ${columns}`,
    [encodeId],
  );
  return rows.map(recordOf);
}

/** Tasks of a locked encode that were given up. */
export async function listFailedTasks(db: Db, encodeId: string): Promise<(TaskRecord & { error: string })[]> {
  const { rows } = await db.query<Row & { error: string }>(
    `SELECT ${columns}, error FROM tasks WHERE encode_id = $1 AND state = 'failed' ORDER BY created_at LIMIT 100`,
    [encodeId],
  );
  return rows.map((row) => ({ ...recordOf(row), error: row.error }));
}

/** Tasks that have waited for so long that there should be a job for each; looked at when one may have been lost. */
export async function listWaiting(db: Db, queue: string, seconds: number, limit: number): Promise<WaitingTask[]> {
  const { rows } = await db.query<{ id: string; place: number; owner_id: string }>(
    `SELECT t.id, t.place, e.owner_id FROM tasks t JOIN encodes e ON e.id = t.encode_id
     WHERE t.state = 'waiting' AND t.queue = $1 AND t.created_at < now() - $2 * interval '1 second'
       AND e.state NOT IN ('planning', 'failed', 'cancelled', 'succeeded')
     ORDER BY t.created_at LIMIT $3`,
    [queue, seconds, limit],
  );
  return rows.map((row) => ({ id: row.id, place: row.place, ownerId: row.owner_id }));
}

/** A task that waits. */
export type WaitingTask = { id: string; place: number; ownerId: string };

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
