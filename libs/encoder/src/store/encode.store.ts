import type { EncodeState } from "../domain/encode-state.ts";
import type { Cursor } from "../domain/page-token.ts";
import type { TaskKind } from "../domain/task-kind.ts";
import type { Db } from "./db.ts";

/** An encode with the last report of its newest task, without its large parts. */
export type EncodeRecord = {
  id: string;
  videoId: string;
  ownerId: string;
  state: EncodeState;
  error: string;
  /** Length of the source in seconds; 0 until it is probed. */
  durationSeconds: number;
  createdAt: Date;
  probedAt: Date | undefined;
  finishedAt: Date | undefined;
  /** Whether the video plays this encode's stream. */
  isPublished: boolean;
  /** Whether its stream has a poster picture. */
  hasPoster: boolean;
  profile: string;
  /** Whether its settings leave the encoder family to Kinora. */
  anyFamily: boolean;
  /** What happened to it that its owner should know; empty otherwise. */
  notice: string;
  priority: Priority;
  /** What its quota is reserved under. */
  reservationId: string;
  /** Whether it is made of many tasks; otherwise one makes all of it. */
  chunked: boolean;
  /** Whether its beginning can be, or could be, played. */
  playable: boolean;
  /** Whether it failed by machines' faults, with what was done still there. */
  retryable: boolean;
  /** The most leases that one of its tasks needed. */
  attempts: number;
  task: { kind: TaskKind; attempt: number; fraction: number; frames: number; speed: number } | undefined;
};

/** Which of a person's encodes come first: higher ones. */
export type Priority = -1 | 0 | 1;

type Row = {
  id: string;
  video_id: string;
  owner_id: string;
  state: EncodeState;
  error: string;
  duration_seconds: number;
  created_at: Date;
  probed_at: Date | null;
  finished_at: Date | null;
  is_published: boolean;
  has_poster: boolean;
  profile: string;
  any_family: boolean;
  notice: string;
  priority: Priority;
  reservation_id: string | null;
  chunked: boolean;
  playable_at: Date | null;
  retryable: boolean;
  attempts: number | null;
  kind: TaskKind | null;
  attempt: number;
  fraction: number;
  frames: string;
  speed: number;
};

const select = `
  SELECT e.id, e.video_id, e.owner_id, e.state, e.error, e.duration_seconds, e.created_at, e.probed_at, e.finished_at, e.has_poster,
    e.profile, coalesce(e.settings->>'encoder', 'auto') = 'auto' AS any_family, e.notice, e.priority, e.reservation_id, e.chunked, e.playable_at, e.retryable,
    (SELECT max(attempt) FROM tasks WHERE encode_id = e.id) AS attempts,
    v.published_encode_id IS NOT DISTINCT FROM e.id AS is_published,
    t.kind, t.attempt, t.fraction, t.frames, t.speed
  FROM encodes e
  JOIN videos v ON v.id = e.video_id
  LEFT JOIN LATERAL (SELECT * FROM tasks WHERE encode_id = e.id ORDER BY created_at DESC LIMIT 1) t ON true`;

const recordOf = (row: Row): EncodeRecord => ({
  id: row.id,
  videoId: row.video_id,
  ownerId: row.owner_id,
  state: row.state,
  error: row.error,
  durationSeconds: row.duration_seconds,
  createdAt: row.created_at,
  probedAt: row.probed_at ?? undefined,
  finishedAt: row.finished_at ?? undefined,
  isPublished: row.is_published,
  hasPoster: row.has_poster,
  profile: row.profile,
  anyFamily: row.any_family,
  notice: row.notice,
  priority: row.priority,
  reservationId: row.reservation_id ?? row.id,
  chunked: row.chunked,
  playable: row.playable_at !== null,
  retryable: row.retryable,
  attempts: row.attempts ?? 0,
  task:
    row.kind === null
      ? undefined
      : {
          kind: row.kind,
          attempt: row.attempt,
          fraction: row.fraction,
          frames: Number(row.frames),
          speed: row.speed,
        },
});

/** Starts an encode, unless one of the same video is under way: false then. */
export async function insertEncode(
  db: Db,
  encode: { id: string; videoId: string; ownerId: string; profile: string; settings: string; priority: Priority },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO encodes (id, video_id, owner_id, state, profile, settings, priority) VALUES ($1, $2, $3, 'queued', $4, $5, $6)
     ON CONFLICT (video_id) WHERE state NOT IN ('succeeded', 'failed', 'cancelled') DO NOTHING`,
    [encode.id, encode.videoId, encode.ownerId, encode.profile, encode.settings, encode.priority],
  );
  return rowCount === 1;
}

/** An encode by its id; with `ownerId`, only if it is theirs. */
export async function findEncode(db: Db, id: string, ownerId?: string): Promise<EncodeRecord | undefined> {
  const { rows } = await db.query<Row>(`${select} WHERE e.id = $1 AND ($2::uuid IS NULL OR e.owner_id = $2)`, [
    id,
    ownerId ?? null,
  ]);
  return rows.map(recordOf)[0];
}

/** The encode of a video that is under way. */
export async function findEncodeUnderWay(db: Db, videoId: string): Promise<EncodeRecord | undefined> {
  const { rows } = await db.query<Row>(
    `${select} WHERE e.video_id = $1 AND e.state NOT IN ('succeeded', 'failed', 'cancelled')`,
    [videoId],
  );
  return rows.map(recordOf)[0];
}

/** The newest encode of each of the videos. */
export async function findLatestEncodes(db: Db, videoIds: readonly string[]): Promise<Map<string, EncodeRecord>> {
  const { rows } = await db.query<Row>(
    `${select} WHERE e.id IN (
       SELECT DISTINCT ON (video_id) id FROM encodes WHERE video_id = ANY($1::uuid[]) ORDER BY video_id, created_at DESC, id DESC
     )`,
    [videoIds],
  );
  return new Map(rows.map((row) => [row.video_id, recordOf(row)]));
}

/** A person's encodes (of one video, if given), newest first, after the cursor. */
export async function listEncodes(
  db: Db,
  ownerId: string,
  limit: number,
  options: { videoId?: string | undefined; after?: Cursor | undefined } = {},
): Promise<EncodeRecord[]> {
  const { rows } = await db.query<Row>(
    `${select}
     WHERE e.owner_id = $1 AND ($3::uuid IS NULL OR e.video_id = $3)
       AND ($4::timestamptz IS NULL OR (e.created_at, e.id) < ($4, $5::uuid))
     ORDER BY e.created_at DESC, e.id DESC LIMIT $2`,
    [ownerId, limit, options.videoId ?? null, options.after?.createdAt ?? null, options.after?.id ?? null],
  );
  return rows.map(recordOf);
}

/** Removes an encode with its tasks. */
export async function deleteEncodeRow(db: Db, id: string): Promise<void> {
  await db.query("DELETE FROM encodes WHERE id = $1", [id]);
}
