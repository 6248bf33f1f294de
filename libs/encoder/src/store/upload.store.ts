import type { Part } from "@kinora/storage";
import type { Db } from "./db.ts";

/** An upload under way in parts. What was received: all of its parts, and `tailBytes` that aren't enough for a part yet. */
export type UploadRecord = {
  videoId: string;
  multipartId: string;
  /** Length of each part but the last. */
  partBytes: number;
  /** In order, numbered from 1 without a gap. */
  parts: Part[];
  tailBytes: number;
};

/** How far an upload is: the next writer goes on there, and of two writers that both go on there, one gets through. */
export type UploadMark = { parts: number; tailBytes: number };

type Row = { video_id: string; multipart_id: string; part_bytes: string; tail_bytes: string; parts: Part[] };

/** An upload that has begun. */
export async function findUpload(db: Db, videoId: string): Promise<UploadRecord | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT video_id, multipart_id, part_bytes, tail_bytes, (
       SELECT coalesce(json_agg(json_build_object('number', number, 'bytes', bytes, 'etag', etag) ORDER BY number), '[]')
       FROM upload_parts p WHERE p.video_id = u.video_id
     ) AS parts
     FROM uploads u WHERE video_id = $1`,
    [videoId],
  );
  return rows.map((row) => ({
    videoId: row.video_id,
    multipartId: row.multipart_id,
    partBytes: Number(row.part_bytes),
    parts: row.parts,
    tailBytes: Number(row.tail_bytes),
  }))[0];
}

/** Bytes received of an upload, and when the last ones came; undefined if it hasn't begun. */
export async function findReceived(db: Db, videoId: string): Promise<{ bytes: number; touchedAt: Date } | undefined> {
  const { rows } = await db.query<{ bytes: string; touched_at: Date }>(
    `SELECT tail_bytes + (SELECT coalesce(sum(bytes), 0) FROM upload_parts p WHERE p.video_id = u.video_id) AS bytes, touched_at
     FROM uploads u WHERE video_id = $1`,
    [videoId],
  );
  return rows[0] && { bytes: Number(rows[0].bytes), touchedAt: rows[0].touched_at };
}

/** Begins an upload of a video that bytes are missing of. False if it has begun already, or the video is gone. */
export async function insertUpload(
  db: Db,
  upload: { videoId: string; multipartId: string; partBytes: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO uploads (video_id, multipart_id, part_bytes)
     SELECT id, $2, $3 FROM videos WHERE id = $1 AND state = 'uploading' ON CONFLICT DO NOTHING`,
    [upload.videoId, upload.multipartId, upload.partBytes],
  );
  return rowCount === 1;
}

/**
 * Moves an upload on from a mark: to more parts, or to a longer tail; or back to an earlier mark. False if it isn't at that mark (any more): somebody else has
 * written. Run it in a transaction.
 */
export async function moveUpload(
  db: Db,
  upload: { videoId: string; multipartId: string },
  from: UploadMark,
  to: { part?: Part; parts?: number; tailBytes: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    "SELECT FROM uploads WHERE video_id = $1 AND multipart_id = $2 AND tail_bytes = $3 FOR UPDATE",
    [upload.videoId, upload.multipartId, from.tailBytes],
  );
  if (rowCount !== 1) return false;
  // Only now that the row is locked: in one statement with that, it would be counted before.
  const { rows } = await db.query<{ parts: string }>("SELECT count(*) AS parts FROM upload_parts WHERE video_id = $1", [
    upload.videoId,
  ]);
  if (Number(rows[0]?.parts) !== from.parts) return false;
  await db.query("UPDATE uploads SET tail_bytes = $2, touched_at = now() WHERE video_id = $1", [
    upload.videoId,
    to.tailBytes,
  ]);
  if (to.parts !== undefined) {
    await db.query("DELETE FROM upload_parts WHERE video_id = $1 AND number > $2", [upload.videoId, to.parts]);
  }
  if (to.part !== undefined) {
    await db.query("INSERT INTO upload_parts (video_id, number, bytes, etag) VALUES ($1, $2, $3, $4)", [
      upload.videoId,
      to.part.number,
      to.part.bytes,
      to.part.etag,
    ]);
  }
  return true;
}

/** Gives an upload other parts, and no tail. Run it in a transaction. */
export async function replaceParts(
  db: Db,
  upload: { videoId: string; multipartId: string },
  parts: readonly Part[],
): Promise<void> {
  const { rowCount } = await db.query(
    "UPDATE uploads SET tail_bytes = 0, touched_at = now() WHERE video_id = $1 AND multipart_id = $2",
    [upload.videoId, upload.multipartId],
  );
  if (rowCount !== 1) return;
  await db.query("DELETE FROM upload_parts WHERE video_id = $1", [upload.videoId]);
  await db.query(
    `INSERT INTO upload_parts (video_id, number, bytes, etag)
     SELECT $1, * FROM unnest($2::integer[], $3::bigint[], $4::text[])`,
    [upload.videoId, parts.map(({ number }) => number), parts.map(({ bytes }) => bytes), parts.map(({ etag }) => etag)],
  );
}

/** Forgets an upload. */
export async function deleteUpload(db: Db, videoId: string): Promise<void> {
  await db.query("DELETE FROM uploads WHERE video_id = $1", [videoId]);
}

/** The videos with uploads under way. */
export async function listUploads(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ video_id: string }>("SELECT video_id FROM uploads ORDER BY video_id LIMIT 10000");
  return rows.map((row) => row.video_id);
}

/** Takes the lock of an upload, or an expired one over. Without it, asks the holder to let go. */
export async function takeUploadLock(db: Db, videoId: string, holder: string, seconds: number): Promise<boolean> {
  const { rows } = await db.query<{ holder: string }>(
    `INSERT INTO upload_locks AS l (video_id, holder, expires_at) VALUES ($1, $2, now() + $3 * interval '1 second')
     ON CONFLICT (video_id) DO UPDATE SET
       holder = CASE WHEN l.expires_at < now() THEN $2 ELSE l.holder END,
       wanted = l.expires_at >= now(),
       expires_at = CASE WHEN l.expires_at < now() THEN now() + $3 * interval '1 second' ELSE l.expires_at END
     RETURNING holder`,
    [videoId, holder, seconds],
  );
  return rows[0]?.holder === holder;
}

/** Keeps a lock; the answer says whether somebody waits for it. Undefined if it is lost. */
export async function renewUploadLock(
  db: Db,
  videoId: string,
  holder: string,
  seconds: number,
): Promise<{ wanted: boolean } | undefined> {
  const { rows } = await db.query<{ wanted: boolean }>(
    `UPDATE upload_locks SET expires_at = now() + $3 * interval '1 second'
     WHERE video_id = $1 AND holder = $2 RETURNING wanted`,
    [videoId, holder, seconds],
  );
  return rows[0];
}

/** Forgets the locks of processes that died. */
export async function forgetUploadLocks(db: Db): Promise<void> {
  await db.query("DELETE FROM upload_locks WHERE expires_at < now() - interval '1 hour'");
}

/** Gives a lock back. */
export async function dropUploadLock(db: Db, videoId: string, holder: string): Promise<void> {
  await db.query("DELETE FROM upload_locks WHERE video_id = $1 AND holder = $2", [videoId, holder]);
}
