import type { Db } from "./db.ts";

/** The two kinds of work that people take turns at, each by a clock of its own: pictures that are encoded, and all the rest. */
export type Turns = "heavy" | "light";

const columns = {
  heavy: { finish: "finish", reached: "reached" },
  light: { finish: "light_finish", reached: "light_reached" },
} as const;

/** Where a person's last work ends, locked until the transaction ends, and where the clock is. */
export async function lockFairShare(
  db: Db,
  ownerId: string,
  turns: Turns,
): Promise<{ finish: number; reached: number }> {
  const { finish, reached } = columns[turns];
  const { rows } = await db.query<{ finish: number; reached: number }>(
    `INSERT INTO fair_shares (owner_id, finish) VALUES ($1, 0)
     ON CONFLICT (owner_id) DO UPDATE SET finish = fair_shares.finish
     RETURNING ${finish} AS finish, (SELECT ${reached} FROM fair_clock) AS reached`,
    [ownerId],
  );
  return rows[0] ?? { finish: 0, reached: 0 };
}

/** Notes where a person's last work ends now. */
export async function moveFairShare(db: Db, ownerId: string, turns: Turns, finish: number): Promise<void> {
  await db.query(`UPDATE fair_shares SET ${columns[turns].finish} = $2 WHERE owner_id = $1`, [ownerId, finish]);
}

/** Moves a clock forward; never back. */
export async function moveFairClock(db: Db, turns: Turns, time: number): Promise<void> {
  const { reached } = columns[turns];
  await db.query(`UPDATE fair_clock SET ${reached} = $1 WHERE ${reached} < $1`, [time]);
}
