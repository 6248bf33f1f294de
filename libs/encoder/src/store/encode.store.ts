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

/** The large parts of an encode, as JSON of the contract's messages; undefined until they are known. */
export type EncodeDetails = { media: unknown; plan: unknown; result: unknown; verification: unknown };

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
    e.profile, e.priority, e.reservation_id, e.chunked, e.playable_at, e.retryable,
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

/** The large parts of an encode. */
export async function findEncodeDetails(db: Db, id: string): Promise<EncodeDetails | undefined> {
  const { rows } = await db.query<{ media: unknown; plan: unknown; result: unknown; verification: unknown }>(
    "SELECT media, plan, result, verification FROM encodes WHERE id = $1",
    [id],
  );
  return (
    rows[0] && {
      media: rows[0].media ?? undefined,
      plan: rows[0].plan ?? undefined,
      result: rows[0].result ?? undefined,
      verification: rows[0].verification ?? undefined,
    }
  );
}

/** A stream that can be played, whole or from its beginning. */
export type PlayableStream = {
  encodeId: string;
  videoId: string;
  /** Whether nothing of it changes any more. */
  final: boolean;
  chunked: boolean;
  /** Where the files lie of a stream that isn't made of many tasks. */
  prefix: string;
};

/** The stream of a video, or one of its encodes' streams; undefined if there is none to play. */
export async function findPlayableStream(
  db: Db,
  videoId: string,
  encodeId?: string,
): Promise<PlayableStream | undefined> {
  const { rows } = await db.query<{ id: string; state: EncodeState; chunked: boolean; stream_prefix: string | null }>(
    `SELECT e.id, e.state, e.chunked, e.stream_prefix FROM encodes e JOIN videos v ON v.id = e.video_id
     WHERE v.id = $1 AND e.id = coalesce($2, v.published_encode_id)
       AND (e.state = 'succeeded' OR (e.playable_at IS NOT NULL AND e.state IN ('planning', 'planned', 'encoding', 'verifying')))`,
    [videoId, encodeId ?? null],
  );
  const [row] = rows;
  return (
    row && {
      encodeId: row.id,
      videoId,
      final: row.state === "succeeded" || row.state === "verifying",
      chunked: row.chunked,
      prefix: row.stream_prefix ?? "",
    }
  );
}

/** An encode that no other transaction changes until this one ends. */
export type LockedEncode = {
  id: string;
  videoId: string;
  ownerId: string;
  state: EncodeState;
  durationSeconds: number;
  priority: Priority;
  reservationId: string;
  playable: boolean;
  retryable: boolean;
  chunked: boolean;
  /** When it reached its final state. */
  finishedAt: Date | undefined;
};

type LockedRow = Pick<
  Row,
  | "id"
  | "video_id"
  | "owner_id"
  | "state"
  | "duration_seconds"
  | "priority"
  | "reservation_id"
  | "playable_at"
  | "retryable"
  | "chunked"
  | "finished_at"
>;

const lockedColumns =
  "id, video_id, owner_id, state, duration_seconds, priority, reservation_id, playable_at, retryable, chunked, finished_at";

/** Locks an encode. Take this lock before that of its tasks. */
export async function lockEncode(db: Db, id: string): Promise<LockedEncode | undefined> {
  const { rows } = await db.query<LockedRow>(`SELECT ${lockedColumns} FROM encodes WHERE id = $1 FOR UPDATE`, [id]);
  return rows.map(lockedOf)[0];
}

/** Locks all encodes of a video, in one order. */
export async function lockEncodesOf(db: Db, videoId: string): Promise<LockedEncode[]> {
  const { rows } = await db.query<LockedRow>(
    `SELECT ${lockedColumns} FROM encodes WHERE video_id = $1 ORDER BY id FOR UPDATE`,
    [videoId],
  );
  return rows.map(lockedOf);
}

const lockedOf = (row: LockedRow): LockedEncode => ({
  id: row.id,
  videoId: row.video_id,
  ownerId: row.owner_id,
  state: row.state,
  durationSeconds: row.duration_seconds,
  priority: row.priority,
  reservationId: row.reservation_id ?? row.id,
  playable: row.playable_at !== null,
  retryable: row.retryable,
  chunked: row.chunked,
  finishedAt: row.finished_at ?? undefined,
});

/** What changes with an encode's state; JSON as text. */
export type EncodeChange = {
  error?: string;
  media?: string;
  durationSeconds?: number;
  plan?: string;
  result?: string;
  streamPrefix?: string;
  hasPoster?: boolean;
  frameTable?: Uint8Array;
  verification?: string;
  reservationId?: string;
  retryable?: boolean;
  chunked?: boolean;
  playable?: true;
};

/** Gives a locked encode its new state. */
export async function updateEncode(db: Db, id: string, state: EncodeState, change: EncodeChange = {}): Promise<void> {
  await db.query(
    `UPDATE encodes SET state = $2,
       error = coalesce($3, error),
       media = coalesce($4::jsonb, media),
       duration_seconds = coalesce($5, duration_seconds),
       plan = coalesce($6::jsonb, plan),
       result = coalesce($7::jsonb, result),
       stream_prefix = coalesce($8, stream_prefix),
       has_poster = coalesce($9, has_poster),
       frame_table = coalesce($10, frame_table),
       verification = coalesce($11::jsonb, verification),
       reservation_id = coalesce($12, reservation_id),
       retryable = coalesce($13, retryable),
       chunked = coalesce($14, chunked),
       playable_at = CASE WHEN $15 THEN coalesce(playable_at, now()) ELSE playable_at END,
       probed_at = CASE WHEN $4 IS NOT NULL THEN now() ELSE probed_at END,
       finished_at = CASE WHEN $2 IN ('succeeded', 'failed', 'cancelled') THEN now() ELSE NULL END
     WHERE id = $1`,
    [
      id,
      state,
      change.error ?? null,
      change.media ?? null,
      change.durationSeconds ?? null,
      change.plan ?? null,
      change.result ?? null,
      change.streamPrefix ?? null,
      change.hasPoster ?? null,
      change.frameTable ?? null,
      change.verification ?? null,
      change.reservationId ?? null,
      change.retryable ?? null,
      change.chunked ?? null,
      change.playable ?? false,
    ],
  );
}

/** Notes that work on encodes has begun. Not under their locks: whoever leases has locked their tasks, which is the other way round. */
export async function noteLeased(db: Db, encodeIds: readonly string[]): Promise<void> {
  await db.query(
    `UPDATE encodes SET state = CASE state WHEN 'queued' THEN 'probing' ELSE 'encoding' END
     WHERE id = ANY($1::uuid[]) AND state IN ('queued', 'planned')`,
    [encodeIds],
  );
}

/** The settings of an encode, as JSON; undefined for one of an earlier release. */
export async function findSettings(db: Db, id: string): Promise<unknown> {
  const { rows } = await db.query<{ settings: unknown }>("SELECT settings FROM encodes WHERE id = $1", [id]);
  return rows[0]?.settings ?? undefined;
}

/** The frame table of an encode, as binary Protobuf; undefined until it is analysed. */
export async function findFrameTable(db: Db, id: string): Promise<Uint8Array | undefined> {
  const { rows } = await db.query<{ frame_table: Buffer | null }>("SELECT frame_table FROM encodes WHERE id = $1", [
    id,
  ]);
  return rows[0]?.frame_table ?? undefined;
}

/**
 * Notes the hashes of tracks' initialisation segments, as far as they are the first ones; the answer is the first track whose hash isn't the one on record. The encode must
 * be locked.
 */
export async function agreeOnInits(
  db: Db,
  id: string,
  hashes: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { rows } = await db.query<{ inits: Record<string, string> }>("SELECT inits FROM encodes WHERE id = $1", [id]);
  const known = rows[0]?.inits ?? {};
  const tracks = Object.keys(hashes);
  if (tracks.some((track) => known[track] === undefined)) {
    await db.query("UPDATE encodes SET inits = $2::jsonb || inits WHERE id = $1", [id, JSON.stringify(hashes)]);
  }
  return tracks.find((track) => known[track] !== undefined && known[track] !== hashes[track]);
}

/** Removes an encode with its tasks. */
export async function deleteEncodeRow(db: Db, id: string): Promise<void> {
  await db.query("DELETE FROM encodes WHERE id = $1", [id]);
}
