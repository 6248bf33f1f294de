import type { Db } from "./db.ts";

/** Remembers what its owner deleted. */
export async function rememberDeleted(db: Db, ids: readonly string[], ownerId: string): Promise<void> {
  await db.query("INSERT INTO deleted (id, owner_id) SELECT unnest($1::uuid[]), $2 ON CONFLICT DO NOTHING", [
    ids,
    ownerId,
  ]);
}

/** Whether this person deleted it, not too long ago. */
export async function wasDeleted(db: Db, id: string, ownerId: string): Promise<boolean> {
  const { rowCount } = await db.query("SELECT FROM deleted WHERE id = $1 AND owner_id = $2", [id, ownerId]);
  return rowCount === 1;
}

/** Forgets what was deleted before so many days. */
export async function forgetDeleted(db: Db, days: number): Promise<void> {
  await db.query("DELETE FROM deleted WHERE deleted_at < now() - $1 * interval '1 day'", [days]);
  await db.query("DELETE FROM closed_accounts WHERE closed_at < now() - $1 * interval '1 day'", [days]);
}

/** Closes an account: nothing new is made for it. In a transaction; those that asked `isClosed` before have committed when it returns. */
export async function closeAccount(db: Db, ownerId: string): Promise<void> {
  await db.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [ownerId]);
  await db.query("INSERT INTO closed_accounts (owner_id) VALUES ($1) ON CONFLICT DO NOTHING", [ownerId]);
}

/** Whether an account is closed. If not, it isn't closed before this transaction ends. */
export async function isClosed(db: Db, ownerId: string): Promise<boolean> {
  await db.query("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))", [ownerId]);
  const { rowCount } = await db.query("SELECT FROM closed_accounts WHERE owner_id = $1", [ownerId]);
  return rowCount === 1;
}
