import type { Sql } from "../store/store.ts";

/** How much an account may use; 0 stands for no limit. */
export type Limits = { ms: number; storageBytes: number };

/** Limits that an account has of its own; undefined for the installation's. */
export type OwnLimits = { ms: number | undefined; storageBytes: number | undefined };

export async function findLimits(sql: Sql, userId: string): Promise<OwnLimits> {
  const [own] = await sql.query<{ ms: number | null; storageBytes: number | null }>(
    `select milliseconds::float8 as ms, storage_bytes::float8 as "storageBytes" from quota_limits where user_id = $1`,
    [userId],
  );
  return { ms: own?.ms ?? undefined, storageBytes: own?.storageBytes ?? undefined };
}

/** Gives an account limits of its own, in place of those that it has. */
export async function putLimits(sql: Sql, userId: string, limits: OwnLimits, now: Date): Promise<void> {
  await sql.query(
    `insert into quota_limits (user_id, milliseconds, storage_bytes, update_time) values ($1, $2, $3, $4)
     on conflict (user_id) do update set milliseconds = $2, storage_bytes = $3, update_time = $4`,
    [userId, limits.ms ?? null, limits.storageBytes ?? null, now],
  );
}

/** Removes what limits an account has of its own: it is gone. */
export async function deleteLimits(sql: Sql, userId: string): Promise<void> {
  await sql.query("delete from quota_limits where user_id = $1", [userId]);
}
