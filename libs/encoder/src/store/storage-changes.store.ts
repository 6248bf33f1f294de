import type { Db } from "./db.ts";

/** Something is stored, or, without `bytes`, gone. */
export type StorageChange = { id: string; itemId: string; ownerId: string; bytes: number | undefined };

/** Changes that the user service wasn't told of yet, the oldest first. */
export async function listStorageChanges(db: Db, limit: number): Promise<StorageChange[]> {
  const { rows } = await db.query<{ id: string; item_id: string; owner_id: string; bytes: string | null }>(
    "SELECT id, item_id, owner_id, bytes FROM storage_changes ORDER BY id LIMIT $1",
    [limit],
  );
  return rows.map(({ id, item_id, owner_id, bytes }) => ({
    id,
    itemId: item_id,
    ownerId: owner_id,
    bytes: bytes === null ? undefined : Number(bytes),
  }));
}

/** Removes changes that the user service knows. */
export async function forgetStorageChanges(db: Db, ids: readonly string[]): Promise<void> {
  await db.query("DELETE FROM storage_changes WHERE id = ANY($1::bigint[])", [ids]);
}
