import type { Db } from "./db.ts";
import { columns, type Row, recordOf, type TaskRecord } from "./task.store.ts";

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

/** So long a task waits for another worker than the one at whose hands it failed. Then any will do. */
const avoiding = "avoided_worker = worker_id, avoided_until = now() + interval '30 seconds'";

/** Lets a locked task wait again. With the `error` of its worker, it is rather for another one. */
export async function returnTask(
  db: Db,
  id: string,
  { faults, crashes }: Pick<TaskRecord, "faults" | "crashes">,
  error = "",
): Promise<void> {
  await db.query(
    `UPDATE tasks SET state = 'waiting', faults = $2, crashes = $4, lease_expires_at = NULL, frames = 0, fraction = 0, speed = 0, error = $3
       ${error === "" ? "" : `, ${avoiding}`} WHERE id = $1`,
    [id, faults, error, crashes],
  );
}

/**
 * Lets the chunks that some segments of a locked encode are of wait again, with all their tries, unless that has happened to one of them before: none then. The answer lists them as they were
 * when they were done.
 */
export async function reopenChunks(db: Db, encodeId: string, segments: readonly number[]): Promise<TaskRecord[]> {
  const { rows } = await db.query<Row & { made_again: boolean }>(
    `SELECT ${columns}, made_again FROM tasks WHERE encode_id = $1 AND kind = 'encode_chunk' AND state = 'done'
       AND EXISTS (SELECT FROM unnest($2::integer[]) AS s WHERE s BETWEEN first_segment AND first_segment + segments - 1)
     ORDER BY chunk FOR UPDATE`,
    [encodeId, segments],
  );
  if (rows.some((row) => row.made_again)) return [];
  await reopen(db, rows, true);
  return rows.map(recordOf);
}

/** Lets all chunks of a locked encode that are done wait again, with all their tries. The answer lists them as they were. */
export async function reopenAllChunks(db: Db, encodeId: string): Promise<TaskRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM tasks WHERE encode_id = $1 AND kind = 'encode_chunk' AND state = 'done' ORDER BY chunk FOR UPDATE`,
    [encodeId],
  );
  await reopen(db, rows, false);
  return rows.map(recordOf);
}

/** `isMarked`: it isn't done a second time. */
async function reopen(db: Db, rows: readonly Row[], isMarked: boolean): Promise<void> {
  await db.query(
    `UPDATE tasks SET state = 'waiting', made_again = made_again OR $2, faults = 0, crashes = 0, frames = 0, fraction = 0, speed = 0, result = NULL, done_at = NULL,
       track_bytes = '{}', track_measured = '{}', track_xpsnr = '{}', ${avoiding}
     WHERE id = ANY($1::uuid[])`,
    [rows.map((row) => row.id), isMarked],
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

/** Lets the unfinished tasks of a locked encode wait again, with all their tries; the answer lists them. */
export async function reviveTasks(db: Db, encodeId: string): Promise<TaskRecord[]> {
  const { rows } = await db.query<Row>(
    `UPDATE tasks SET state = 'waiting', faults = 0, crashes = 0, frames = 0, fraction = 0, speed = 0, error = ''
     WHERE encode_id = $1 AND state IN ('failed', 'cancelled') RETURNING ${columns}`,
    [encodeId],
  );
  return rows.map(recordOf);
}
