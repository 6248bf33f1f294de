import type { Sql } from "../store/store.ts";

/** Replaces a user's recovery codes. */
export async function replaceRecoveryCodes(sql: Sql, userId: string, hashes: readonly Buffer[]): Promise<void> {
  await deleteRecoveryCodes(sql, userId);
  await sql.query("insert into recovery_codes (code_hash, user_id) select unnest($1::bytea[]), $2", [hashes, userId]);
}

export async function deleteRecoveryCodes(sql: Sql, userId: string): Promise<void> {
  await sql.query("delete from recovery_codes where user_id = $1", [userId]);
}

/** Uses a code up: true for exactly one of those who show it. */
export async function useRecoveryCode(sql: Sql, userId: string, hash: Buffer): Promise<boolean> {
  const used = await sql.query("delete from recovery_codes where code_hash = $1 and user_id = $2 returning user_id", [
    hash,
    userId,
  ]);
  return used.length > 0;
}

export async function countRecoveryCodes(sql: Sql, userId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    "select count(*)::int as count from recovery_codes where user_id = $1",
    [userId],
  );
  return row?.count ?? 0;
}
