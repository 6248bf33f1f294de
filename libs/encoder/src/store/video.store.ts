import type { Cursor } from "../domain/page-token.ts";
import type { Db } from "./db.ts";

/** A video. */
export type VideoRecord = {
  id: string;
  ownerId: string;
  name: string;
  sizeBytes: number;
  state: "uploading" | "uploaded";
  /** The encode whose stream plays. */
  published: { encodeId: string; hasPoster: boolean } | undefined;
  createdAt: Date;
};

type Row = {
  id: string;
  owner_id: string;
  name: string;
  size_bytes: string;
  state: "uploading" | "uploaded";
  published_encode_id: string | null;
  has_poster: boolean | null;
  created_at: Date;
};

const columns = `id, owner_id, name, size_bytes, state, published_encode_id, created_at,
  (SELECT has_poster FROM encodes WHERE encodes.id = published_encode_id) AS has_poster`;

const recordOf = (row: Row): VideoRecord => ({
  id: row.id,
  ownerId: row.owner_id,
  name: row.name,
  sizeBytes: Number(row.size_bytes),
  state: row.state,
  published:
    row.published_encode_id === null
      ? undefined
      : { encodeId: row.published_encode_id, hasPoster: row.has_poster ?? false },
  createdAt: row.created_at,
});

/** Announces a video. */
export async function insertVideo(
  db: Db,
  video: { id: string; ownerId: string; name: string; sizeBytes: number },
): Promise<VideoRecord> {
  const { rows } = await db.query<Row>(
    `INSERT INTO videos (id, owner_id, name, size_bytes, state) VALUES ($1, $2, $3, $4, 'uploading') RETURNING ${columns}`,
    [video.id, video.ownerId, video.name, video.sizeBytes],
  );
  return only(rows.map(recordOf));
}

/** A video by its id; with `ownerId`, only if it is theirs. */
export async function findVideo(db: Db, id: string, ownerId?: string): Promise<VideoRecord | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM videos WHERE id = $1 AND ($2::uuid IS NULL OR owner_id = $2)`,
    [id, ownerId ?? null],
  );
  return rows.map(recordOf)[0];
}

/** A person's video, which isn't deleted before this transaction ends. */
export async function keepVideo(db: Db, id: string, ownerId: string): Promise<VideoRecord | undefined> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM videos WHERE id = $1 AND owner_id = $2 FOR KEY SHARE`, [
    id,
    ownerId,
  ]);
  return rows.map(recordOf)[0];
}

/** A person's videos, newest first, after the cursor. */
export async function listVideos(db: Db, ownerId: string, limit: number, after?: Cursor): Promise<VideoRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM videos
     WHERE owner_id = $1 AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
     ORDER BY created_at DESC, id DESC LIMIT $2`,
    [ownerId, limit, after?.createdAt ?? null, after?.id ?? null],
  );
  return rows.map(recordOf);
}

/** All bytes have arrived. Says whether that is news. */
export async function markUploaded(db: Db, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "UPDATE videos SET state = 'uploaded', uploaded_at = now() WHERE id = $1 AND state = 'uploading'",
    [id],
  );
  return rowCount === 1;
}

/** Lets a video play an encode's stream; without one, the newest that has succeeded, or none. */
export async function publishEncode(db: Db, videoId: string, encodeId?: string): Promise<void> {
  await db.query(
    `UPDATE videos SET published_encode_id = coalesce($2, (
       SELECT id FROM encodes WHERE video_id = $1 AND state = 'succeeded' ORDER BY created_at DESC, id DESC LIMIT 1
     )) WHERE id = $1`,
    [videoId, encodeId ?? null],
  );
}

/** Lets a video play the beginning of an encode's stream, unless it has a whole one to play. */
export async function publishBeginning(db: Db, videoId: string, encodeId: string): Promise<void> {
  await db.query("UPDATE videos SET published_encode_id = $2 WHERE id = $1 AND published_encode_id IS NULL", [
    videoId,
    encodeId,
  ]);
}

/** Takes an encode's stream away from its video, which plays the newest whole one again if there is any. */
export async function withdrawStream(db: Db, videoId: string, encodeId: string): Promise<void> {
  await db.query(
    `UPDATE videos SET published_encode_id = (
       SELECT id FROM encodes WHERE video_id = $1 AND state = 'succeeded' ORDER BY created_at DESC, id DESC LIMIT 1
     ) WHERE id = $1 AND published_encode_id = $2`,
    [videoId, encodeId],
  );
}

/** Removes a video with its encodes and tasks. */
export async function deleteVideoRow(db: Db, id: string): Promise<void> {
  await db.query("DELETE FROM videos WHERE id = $1", [id]);
}

/** Videos announced before `seconds` ago whose bytes are still missing, oldest first, after the given one. */
export async function listUnfinishedUploads(
  db: Db,
  seconds: number,
  limit: number,
  after?: Cursor,
): Promise<VideoRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM videos
     WHERE state = 'uploading' AND created_at <= now() - $1 * interval '1 second'
       AND ($3::timestamptz IS NULL OR (created_at, id) > ($3, $4::uuid))
     ORDER BY created_at, id LIMIT $2`,
    [seconds, limit, after?.createdAt ?? null, after?.id ?? null],
  );
  return rows.map(recordOf);
}

function only<T>(items: T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error("The database answered with no row.");
  return item;
}
