import { encoderFamilies, encoderQueue } from "../domain/task-kind.ts";
import type { Db } from "./db.ts";
import { liveSeconds } from "./worker.store.ts";

/** An encode whose work waits for an encoder family that no worker has any more. */
export type Forsaken = { encodeId: string; family: string };

/** The families that the CPU can stand in for. */
const replaceable = encoderFamilies.filter((family) => family !== "cpu");

/** Tasks of encodes whose settings leave the family to Kinora, and that wait for one that no worker has asked for during the last $3 seconds; $1 and $2 are `replaceable` and its queues. */
const waitInVain = `
  unnest($1::text[], $2::text[]) AS f(family, queue)
    JOIN tasks t ON t.queue = f.queue AND t.state = 'waiting'
    JOIN encodes e ON e.id = t.encode_id
  WHERE e.state IN ('planned', 'encoding') AND coalesce(e.settings->>'encoder', 'auto') = 'auto'
    AND NOT EXISTS (SELECT FROM workers w WHERE f.family = ANY (w.encoders)
      AND (w.seen_at > now() - $3 * interval '1 second' OR w.id IN (SELECT id FROM held)))`;
const held = "held AS (SELECT DISTINCT worker_id AS id FROM tasks WHERE state = 'leased')";

/**
 * Encodes with work for a GPU's encoder family that no worker has asked for during the last `seconds`, while a worker is there that encodes on its CPU; only those whose settings
 * leave the family to Kinora. With `encodeId`, whether that one is such an encode.
 */
export async function listForsaken(db: Db, seconds: number, limit: number, encodeId?: string): Promise<Forsaken[]> {
  const { rows } = await db.query<{ encode_id: string; family: string }>(
    `WITH ${held} SELECT DISTINCT t.encode_id, f.family FROM ${waitInVain}
       AND ($5::uuid IS NULL OR e.id = $5)
       AND EXISTS (SELECT FROM workers w WHERE 'cpu' = ANY (w.encoders)
         AND (w.seen_at > now() - $4 * interval '1 second' OR w.id IN (SELECT id FROM held)))
     LIMIT $6`,
    [replaceable, replaceable.map(encoderQueue), seconds, liveSeconds, encodeId ?? null, limit],
  );
  return rows.map((row) => ({ encodeId: row.encode_id, family: row.family }));
}

/** How many tasks would go over to the CPU if there were a worker for them. */
export async function countForsakenTasks(db: Db, seconds: number): Promise<number> {
  const { rows } = await db.query<{ tasks: number }>(
    `WITH ${held} SELECT count(*)::integer AS tasks FROM ${waitInVain}`,
    [replaceable, replaceable.map(encoderQueue), seconds],
  );
  return rows[0]?.tasks ?? 0;
}

/** Lets a locked encode wait for a plan on the CPU, as if it had just been probed; `notice` tells people why. */
export async function forgetPlan(db: Db, encodeId: string, notice: string): Promise<void> {
  await db.query(
    `UPDATE encodes SET state = 'planning', settings = coalesce(settings, '{}') || '{"encoder": "cpu"}', plan = NULL, frame_table = NULL, result = NULL,
       verification = NULL, inits = '{}', init_dissents = '[]', playable_at = NULL, has_poster = false, probed_at = now(), edition = edition + 1, notice = $2
     WHERE id = $1`,
    [encodeId, notice],
  );
}
