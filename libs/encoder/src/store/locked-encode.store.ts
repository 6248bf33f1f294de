import type { EncodeState } from "../domain/encode-state.ts";
import type { Dissent, Standing } from "../domain/init-election.ts";
import type { Db } from "./db.ts";
import type { Priority } from "./encode.store.ts";

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
  /** Track to the SHA-256 of its initialisation segment, in hex, as far as chunks have brought it. */
  inits: Readonly<Record<string, string>>;
};

/** As the columns of `lockedEncodeColumns` come. */
export type LockedEncodeRow = {
  id: string;
  video_id: string;
  owner_id: string;
  state: EncodeState;
  duration_seconds: number;
  priority: Priority;
  reservation_id: string | null;
  playable_at: Date | null;
  retryable: boolean;
  chunked: boolean;
  finished_at: Date | null;
  inits: Record<string, string>;
};

export const lockedEncodeColumns =
  "id, video_id, owner_id, state, duration_seconds, priority, reservation_id, playable_at, retryable, chunked, finished_at, inits";

/** Locks an encode. Take this lock before that of its tasks. */
export async function lockEncode(db: Db, id: string): Promise<LockedEncode | undefined> {
  const { rows } = await db.query<LockedEncodeRow>(
    `SELECT ${lockedEncodeColumns} FROM encodes WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return rows.map(lockedEncodeOf)[0];
}

/** Locks all encodes of a video, in one order. */
export async function lockEncodesOf(db: Db, videoId: string): Promise<LockedEncode[]> {
  const { rows } = await db.query<LockedEncodeRow>(
    `SELECT ${lockedEncodeColumns} FROM encodes WHERE video_id = $1 ORDER BY id FOR UPDATE`,
    [videoId],
  );
  return rows.map(lockedEncodeOf);
}

export const lockedEncodeOf = (row: LockedEncodeRow): LockedEncode => ({
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
  inits: row.inits,
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

/** The codec configuration of a locked encode, how many have made chunks with it, and which ones were refused. All its chunks are gone through: only for one that differs. */
export async function findInitStanding(db: Db, { id, inits }: LockedEncode): Promise<Standing> {
  const { rows } = await db.query<{ supporters: number; dissents: Dissent[] }>(
    `SELECT init_dissents AS dissents,
       (SELECT count(DISTINCT worker_id)::integer FROM tasks WHERE encode_id = $1 AND kind = 'encode_chunk' AND state = 'done') AS supporters
     FROM encodes WHERE id = $1`,
    [id],
  );
  return { inits, supporters: rows[0]?.supporters ?? 0, dissents: rows[0]?.dissents ?? [] };
}

/** Notes the codec configuration of a locked encode. */
export async function setInits(db: Db, id: string, inits: Standing["inits"]): Promise<void> {
  await db.query("UPDATE encodes SET inits = $2 WHERE id = $1", [id, JSON.stringify(inits)]);
}

/** Notes the codec configuration of a locked encode that a vote was taken on, and which ones were refused. */
export async function setElection(
  db: Db,
  id: string,
  { inits, dissents }: Pick<Standing, "inits" | "dissents">,
): Promise<void> {
  await db.query("UPDATE encodes SET inits = $2, init_dissents = $3 WHERE id = $1", [
    id,
    JSON.stringify(inits),
    JSON.stringify(dissents),
  ]);
}

/** Notes how much room an encode's pictures take; with its tracks they are what its stream stores. */
export async function setPictureBytes(db: Db, id: string, bytes: number): Promise<void> {
  await db.query("UPDATE encodes SET picture_bytes = $2 WHERE id = $1", [id, bytes]);
}
