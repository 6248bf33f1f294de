import type { Db } from "./db.ts";

/** Where a person's last task ends, locked until the transaction ends, and where the queues' clock is. */
export async function lockFairShare(db: Db, ownerId: string): Promise<{ finish: number; reached: number }> {
  const { rows } = await db.query<{ finish: number; reached: number }>(
    `INSERT INTO fair_shares (owner_id, finish) VALUES ($1, 0)
     ON CONFLICT (owner_id) DO UPDATE SET finish = fair_shares.finish
     RETURNING finish, (SELECT reached FROM fair_clock) AS reached`,
    [ownerId],
  );
  return rows[0] ?? { finish: 0, reached: 0 };
}

/** Notes where a person's last task ends now. */
export async function moveFairShare(db: Db, ownerId: string, finish: number): Promise<void> {
  await db.query("UPDATE fair_shares SET finish = $2 WHERE owner_id = $1", [ownerId, finish]);
}

/** Moves the queues' clock forward; never back. */
export async function moveFairClock(db: Db, reached: number): Promise<void> {
  await db.query("UPDATE fair_clock SET reached = $1 WHERE reached < $1", [reached]);
}
