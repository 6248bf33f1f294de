import type { Db } from "./db.ts";

/** A worker, as it describes itself. */
export type WorkerRecord = { id: string; slots: number; cores: number; memoryBytes: number; encoders: string[] };

/** A worker that hasn't asked for so long, in seconds, doesn't count any more. A busy one asks when it is done, so this is longer than a chunk may take. */
export const liveSeconds = 120;

/** Notes that workers have asked for work. */
export async function noteWorkers(db: Db, workers: readonly WorkerRecord[]): Promise<void> {
  if (workers.length === 0) return;
  await db.query(
    `INSERT INTO workers (id, slots, cores, memory_bytes, encoders, seen_at)
     SELECT id, slots, cores, memory_bytes, encoders, now()
     FROM jsonb_to_recordset($1::jsonb) AS w(id text, slots integer, cores integer, memory_bytes bigint, encoders text[])
     ON CONFLICT (id) DO UPDATE SET slots = excluded.slots, cores = excluded.cores, memory_bytes = excluded.memory_bytes,
       encoders = excluded.encoders, seen_at = excluded.seen_at`,
    [JSON.stringify(workers.map(({ memoryBytes, ...worker }) => ({ ...worker, memory_bytes: memoryBytes })))],
  );
}

/** The encoder families that live workers have, and for how many seconds the other ones haven't been there. */
export async function findFamilies(db: Db): Promise<{ live: string[]; goneSeconds: Map<string, number> }> {
  const { rows } = await db.query<{ encoder: string; live: boolean; seconds: number }>(
    `WITH held AS (SELECT DISTINCT worker_id AS id FROM tasks WHERE state = 'leased')
     SELECT encoder, bool_or(seen_at > now() - $1 * interval '1 second' OR id IN (SELECT id FROM held)) AS live,
       CASE WHEN max(seen_at) = '-infinity' THEN 'infinity' ELSE extract(epoch FROM now() - max(seen_at)) END::double precision AS seconds
     FROM workers, unnest(encoders) AS encoder GROUP BY encoder ORDER BY encoder`,
    [liveSeconds],
  );
  return {
    live: rows.filter((row) => row.live).map((row) => row.encoder),
    goneSeconds: new Map(rows.filter((row) => !row.live).map((row) => [row.encoder, row.seconds])),
  };
}

/** What the live workers can do together. */
export type FleetRecord = { slots: number; framesPerSecond: number; encoders: string[] };

/** The live workers, and the speed of a slot as the latest chunks had it; 0 while there are none. */
export async function findFleet(db: Db): Promise<FleetRecord> {
  const { rows } = await db.query<{ slots: number | null; encoders: string[] | null; speed: number | null }>(
    `WITH live AS (
       SELECT * FROM workers w WHERE seen_at > now() - $1 * interval '1 second'
         OR EXISTS (SELECT FROM tasks t WHERE t.state = 'leased' AND t.worker_id = w.id)
     ), latest AS (
       SELECT frames, seconds FROM tasks WHERE kind = 'encode_chunk' AND state = 'done' ORDER BY done_at DESC LIMIT 50
     )
     SELECT (SELECT sum(slots)::integer FROM live) AS slots,
       (SELECT array_agg(DISTINCT encoder ORDER BY encoder) FROM live, unnest(encoders) AS encoder) AS encoders,
       (SELECT (sum(frames) / nullif(sum(seconds), 0))::double precision FROM latest) AS speed`,
    [liveSeconds],
  );
  const [row] = rows;
  return { slots: Math.max(1, row?.slots ?? 1), framesPerSecond: row?.speed ?? 0, encoders: row?.encoders ?? [] };
}

/** Whether another worker than this one is there that takes tasks of a queue; `family` is the encoder family that they need, if any. */
export async function hasOtherWorker(db: Db, workerId: string, family: string | undefined): Promise<boolean> {
  const { rowCount } = await db.query(
    `SELECT FROM workers w WHERE id <> $1 AND ($2::text IS NULL OR $2 = ANY (encoders))
       AND (seen_at > now() - $3 * interval '1 second' OR EXISTS (SELECT FROM tasks t WHERE t.state = 'leased' AND t.worker_id = w.id))
     LIMIT 1`,
    [workerId, family ?? null, liveSeconds],
  );
  return rowCount === 1;
}

/** Forgets workers that were last seen a day ago. */
export async function forgetWorkers(db: Db): Promise<void> {
  await db.query("DELETE FROM workers WHERE seen_at < now() - interval '1 day'");
}
