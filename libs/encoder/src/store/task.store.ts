import type { TaskState } from "../domain/lease.ts";
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
  crashes: number;
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

export type Row = {
  id: string;
  encode_id: string;
  kind: TaskKind;
  queue: string;
  state: TaskState;
  attempt: number;
  faults: number;
  crashes: number;
  worker_id: string | null;
  chunk: number | null;
  tracks: string[];
  first_segment: number;
  segments: number;
  weight: number;
  place: number;
};

export const columns =
  "id, encode_id, kind, queue, state, attempt, faults, crashes, worker_id, chunk, tracks, first_segment, segments, weight, place";

export const recordOf = (row: Row): TaskRecord => ({
  id: row.id,
  encodeId: row.encode_id,
  kind: row.kind,
  queue: row.queue,
  state: row.state,
  attempt: row.attempt,
  faults: row.faults,
  crashes: row.crashes,
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

/** The place in the queue that an encode's probe has, or had. */
export async function findProbePlace(db: Db, encodeId: string): Promise<number | undefined> {
  const { rows } = await db.query<{ place: number }>(
    "SELECT place FROM tasks WHERE encode_id = $1 AND kind = 'probe' ORDER BY created_at LIMIT 1",
    [encodeId],
  );
  return rows[0]?.place;
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

/** The encode of a task, as far as keys of objects need it. */
export type EncodeOfTask = { id: string; videoId: string };

/** A task as it is at this moment, and whose it is. */
export async function findTaskAndEncode(
  db: Db,
  id: string,
): Promise<{ task: TaskRecord; encode: EncodeOfTask } | undefined> {
  const { rows } = await db.query<RowAndEncode>(selectTaskAndEncode(), [id]);
  return rows.map(taskAndEncodeOf)[0];
}

/** The same with the message of its work, as JSON. */
export async function findTaskAndWork(
  db: Db,
  id: string,
): Promise<{ task: TaskRecord; encode: EncodeOfTask; work: unknown } | undefined> {
  const { rows } = await db.query<RowAndEncode & { work: unknown }>(selectTaskAndEncode("t.work"), [id]);
  return rows.map((row) => ({ ...taskAndEncodeOf(row), work: row.work ?? undefined }))[0];
}

type RowAndEncode = Row & { video_id: string };

const selectTaskAndEncode = (...more: string[]) =>
  `SELECT ${[columns.replaceAll(/\w+/g, "t.$&"), "e.video_id", ...more].join(", ")} FROM tasks t JOIN encodes e ON e.id = t.encode_id WHERE t.id = $1`;

const taskAndEncodeOf = (row: RowAndEncode) => ({
  task: recordOf(row),
  encode: { id: row.encode_id, videoId: row.video_id },
});

/** Locks a task; its encode must be locked already. */
export async function lockTask(db: Db, id: string): Promise<TaskRecord | undefined> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM tasks WHERE id = $1 FOR UPDATE`, [id]);
  return rows.map(recordOf)[0];
}

/** Tasks of a locked encode that were given up. */
export async function listFailedTasks(db: Db, encodeId: string): Promise<(TaskRecord & { error: string })[]> {
  const { rows } = await db.query<Row & { error: string }>(
    `SELECT ${columns}, error FROM tasks WHERE encode_id = $1 AND state = 'failed' ORDER BY created_at LIMIT 100`,
    [encodeId],
  );
  return rows.map((row) => ({ ...recordOf(row), error: row.error }));
}

/** A task that waits. */
export type WaitingTask = { id: string; place: number; ownerId: string };

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

/** Removes tasks of a locked encode. */
export async function deleteTasks(db: Db, ids: readonly string[]): Promise<void> {
  await db.query("DELETE FROM tasks WHERE id = ANY($1::uuid[])", [ids]);
}
