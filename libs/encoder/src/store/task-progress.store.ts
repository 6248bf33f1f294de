import type { TaskGroup } from "../domain/progress.ts";
import type { Db } from "./db.ts";

/** Sums up the tasks of encodes. */
export async function groupTasks(db: Db, encodeIds: readonly string[]): Promise<Map<string, TaskGroup[]>> {
  const groups = new Map<string, TaskGroup[]>(encodeIds.map((id) => [id, []]));
  if (encodeIds.length === 0) return groups;
  const { rows } = await db.query<TaskGroup & { encode_id: string }>(
    `SELECT encode_id, kind, queue, state, count(*)::integer AS tasks, sum(weight) AS weight, sum(weight * fraction) AS "doneWeight",
       sum(frames)::double precision AS frames, sum(speed) AS speed, (count(*) FILTER (WHERE speed > 0))::integer AS timed
     FROM tasks WHERE encode_id = ANY($1::uuid[]) GROUP BY encode_id, kind, queue, state`,
    [encodeIds],
  );
  for (const { encode_id: id, ...group } of rows) groups.get(id)?.push(group);
  return groups;
}

/** How far a track is. */
export type TrackTotals = {
  name: string;
  weight: number;
  doneWeight: number;
  bytes: number;
  measured: number;
  xpsnr: number;
};

/** Sums up the tracks of an encode. */
export async function sumTracks(db: Db, encodeId: string): Promise<TrackTotals[]> {
  const { rows } = await db.query<TrackTotals>(
    `SELECT u.name, sum(t.weight) AS weight, sum(t.weight * t.fraction) AS "doneWeight", coalesce(sum(u.bytes), 0) AS bytes,
       coalesce(sum(u.measured), 0) AS measured, coalesce(sum(u.xpsnr), 0) AS xpsnr
     FROM tasks t, unnest(t.tracks, t.track_bytes, t.track_measured, t.track_xpsnr) WITH ORDINALITY AS u(name, bytes, measured, xpsnr, place)
     WHERE t.encode_id = $1 AND t.kind IN ('encode_chunk', 'audio') GROUP BY u.name ORDER BY min(t.kind) DESC, min(u.place), u.name`,
    [encodeId],
  );
  return rows;
}
