import type { TaskKind } from "../domain/task-kind.ts";
import type { Db } from "./db.ts";

/** What a task has made, or has brought so far. */
export type TaskOutput = {
  id: string;
  kind: TaskKind;
  attempt: number;
  chunk: number | undefined;
  tracks: string[];
  firstSegment: number;
  segments: number;
  /** The result's message as JSON; undefined while it isn't done. */
  result: unknown;
  /** What attempts at a track of sound have brought so far. */
  delivered: Delivered[];
};

/** Segments that an attempt has brought before its end: `track` is a TrackResult as JSON. */
export type Delivered = { attempt: number; track: unknown };

type Row = {
  id: string;
  kind: TaskKind;
  attempt: number;
  chunk: number | null;
  tracks: string[];
  first_segment: number;
  segments: number;
  result: unknown;
  delivered: Delivered[];
};

const outputOf = (row: Row): TaskOutput => ({
  id: row.id,
  kind: row.kind,
  attempt: row.attempt,
  chunk: row.chunk ?? undefined,
  tracks: row.tracks,
  firstSegment: row.first_segment,
  segments: row.segments,
  result: row.result ?? undefined,
  delivered: row.delivered,
});

/** What the tasks of an encode have made that are part of its stream, in the order of chunks. */
export async function listOutputs(db: Db, encodeId: string): Promise<TaskOutput[]> {
  const { rows } = await db.query<Row>(
    `SELECT id, kind, attempt, chunk, tracks, first_segment, segments, result, delivered FROM tasks
     WHERE encode_id = $1 AND kind IN ('encode_chunk', 'audio', 'images') AND (state = 'done' OR delivered <> '[]')
     ORDER BY chunk NULLS LAST, created_at, id`,
    [encodeId],
  );
  return rows.map(outputOf);
}

/** The outputs that a file of a track may come from: of its segment, or of its beginning. */
export async function findTrackOutput(
  db: Db,
  encodeId: string,
  track: string,
  segment: number | undefined,
): Promise<TaskOutput | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT id, kind, attempt, chunk, tracks, first_segment, segments, NULL AS result, CASE WHEN state = 'done' THEN '[]' ELSE delivered END AS delivered
     FROM tasks
     WHERE encode_id = $1 AND $2 = ANY (tracks) AND kind IN ('encode_chunk', 'audio') AND (state = 'done' OR delivered <> '[]')
       AND (kind = 'audio' OR $3::integer IS NULL OR $3 BETWEEN first_segment AND first_segment + segments - 1)
     ORDER BY chunk NULLS LAST LIMIT 1`,
    [encodeId, track, segment ?? null],
  );
  return rows.map(outputOf)[0];
}

/** The task that made an encode's pictures, if it is done. */
export async function findImagesOutput(db: Db, encodeId: string): Promise<TaskOutput | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT id, kind, attempt, chunk, tracks, first_segment, segments, result, delivered FROM tasks
     WHERE encode_id = $1 AND kind = 'images' AND state = 'done' LIMIT 1`,
    [encodeId],
  );
  return rows.map(outputOf)[0];
}

/** Results of an encode's tasks of a kind, as JSON. */
export async function listResults(db: Db, encodeId: string, kind: TaskKind): Promise<unknown[]> {
  const { rows } = await db.query<{ result: unknown }>(
    "SELECT result FROM tasks WHERE encode_id = $1 AND kind = $2 AND state = 'done' ORDER BY chunk",
    [encodeId, kind],
  );
  return rows.map((row) => row.result);
}

/** Notes what an attempt has brought; what it brought before is replaced. The task must be locked. */
export async function noteDelivered(
  db: Db,
  taskId: string,
  delivered: { attempt: number; track: string },
): Promise<void> {
  await db.query(
    `UPDATE tasks SET delivered = (
       SELECT coalesce(jsonb_agg(d), '[]') FROM jsonb_array_elements(delivered) d WHERE (d->>'attempt')::integer <> $2
     ) || jsonb_build_array(jsonb_build_object('attempt', $2::integer, 'track', $3::jsonb))
     WHERE id = $1`,
    [taskId, delivered.attempt, delivered.track],
  );
}

/** Whether every task that must be done before an encode's stream is checked is done. */
export async function isEncoded(db: Db, encodeId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "SELECT FROM tasks WHERE encode_id = $1 AND kind <> 'verify' AND state <> 'done' LIMIT 1",
    [encodeId],
  );
  return rowCount === 0;
}

/** Whether the beginning of every track is there. */
export async function hasBeginning(db: Db, encodeId: string): Promise<boolean> {
  const { rows } = await db.query<{ missing: boolean; chunks: boolean }>(
    `SELECT bool_or(state <> 'done' AND (kind = 'encode_chunk' OR delivered = '[]')) AS missing, bool_or(kind = 'encode_chunk') AS chunks
     FROM tasks WHERE encode_id = $1 AND (kind = 'audio' OR (kind = 'encode_chunk' AND chunk = 0))`,
    [encodeId],
  );
  return rows[0]?.chunks === true && rows[0].missing === false;
}
