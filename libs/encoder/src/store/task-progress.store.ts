import type { TaskGroup, TrackTotals } from "../domain/progress.ts";
import type { Db } from "./db.ts";

/**
 * Tasks of the encodes $1 that only give out their last pictures: a worker begins the next one meanwhile, so that it holds more than it has slots. Its oldest are those.
 */
const draining = `
  draining AS (
    SELECT id FROM (
      SELECT t.id, w.slots, row_number() OVER (PARTITION BY t.worker_id ORDER BY t.leased_at DESC, t.id) AS place
      FROM tasks t JOIN workers w ON w.id = t.worker_id
      WHERE t.encode_id = ANY($1::uuid[]) AND t.state = 'leased' AND t.kind IN ('encode_chunk', 'trial', 'encode')
    ) AS held WHERE place > slots
  )`;

/** Sums up the tasks of encodes. */
export async function groupTasks(db: Db, encodeIds: readonly string[]): Promise<Map<string, TaskGroup[]>> {
  const groups = new Map<string, TaskGroup[]>(encodeIds.map((id) => [id, []]));
  if (encodeIds.length === 0) return groups;
  const { rows } = await db.query<TaskGroup & { encode_id: string }>(
    `WITH ${draining}
     SELECT encode_id, kind, queue, state, count(*)::integer AS tasks, sum(weight) AS weight, sum(weight * fraction) AS "doneWeight",
       sum(frames)::double precision AS frames, count(d.id)::integer AS draining,
       coalesce(sum(speed) FILTER (WHERE d.id IS NULL), 0) AS speed, (count(*) FILTER (WHERE d.id IS NULL AND speed > 0))::integer AS timed
     FROM tasks t LEFT JOIN draining d USING (id) WHERE encode_id = ANY($1::uuid[]) GROUP BY encode_id, kind, queue, state`,
    [encodeIds],
  );
  for (const { encode_id: id, ...group } of rows) groups.get(id)?.push(group);
  return groups;
}

/** Sums up the tracks of an encode. */
export async function sumTracks(db: Db, encodeId: string): Promise<TrackTotals[]> {
  const { rows } = await db.query<TrackTotals>(
    `WITH ${draining}
     SELECT u.name, min(t.kind) AS kind, sum(t.weight) AS weight, sum(t.weight * t.fraction) AS "doneWeight", coalesce(sum(u.bytes), 0) AS bytes,
       coalesce(sum(u.measured), 0) AS measured, coalesce(sum(u.xpsnr), 0) AS xpsnr,
       (count(*) FILTER (WHERE t.state = 'leased' AND d.id IS NULL))::integer AS working,
       (count(*) FILTER (WHERE t.state = 'leased' AND d.id IS NULL AND t.speed > 0))::integer AS timed,
       coalesce(sum(t.speed) FILTER (WHERE t.state = 'leased' AND d.id IS NULL), 0) AS speed,
       coalesce(avg(t.speed) FILTER (WHERE t.state = 'done' AND t.speed > 0), 0) AS "usualSpeed"
     FROM tasks t LEFT JOIN draining d USING (id),
       unnest(t.tracks, t.track_bytes, t.track_measured, t.track_xpsnr) WITH ORDINALITY AS u(name, bytes, measured, xpsnr, place)
     WHERE t.encode_id = ANY($1::uuid[]) AND t.kind IN ('encode_chunk', 'audio') GROUP BY u.name ORDER BY min(t.kind) DESC, min(u.place), u.name`,
    [[encodeId]],
  );
  return rows;
}
