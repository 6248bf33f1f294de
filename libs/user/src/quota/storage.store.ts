import type { Sql } from "../store/store.ts";
import type { StorageItem } from "./storage.ts";

// bigint comes as text from node-postgres; as float8 it is a number, exact up to 2^53 bytes (8 PiB).

/** What an account has stored and set aside. */
export async function sumStorage(
  sql: Sql,
  userId: string,
  now: Date,
): Promise<{ storedBytes: number; reservedBytes: number }> {
  const [sums] = await sql.query<{ storedBytes: number; reservedBytes: number }>(
    `select coalesce(sum(bytes) filter (where state = 'stored'), 0)::float8 as "storedBytes",
       coalesce(sum(bytes) filter (where state = 'reserved' and expire_time > $2), 0)::float8 as "reservedBytes"
     from storage_items where user_id = $1 and state <> 'released'`,
    [userId, now],
  );
  return sums ?? { storedBytes: 0, reservedBytes: 0 };
}

/** The item, kept as it is until the transaction ends. */
export async function lockStorageItem(sql: Sql, id: string): Promise<StorageItem | undefined> {
  const [item] = await sql.query<StorageItem>(
    `select user_id as "userId", bytes::float8 as bytes, state, expire_time as "expireTime" from storage_items where id = $1 for update`,
    [id],
  );
  return item;
}

/** Sets room aside for an item, or more of it. What is stored or gone by now stays so. */
export async function reserveRoom(
  sql: Sql,
  item: { id: string; userId: string; bytes: number; now: Date; expireTime: Date },
): Promise<void> {
  await sql.query(
    `insert into storage_items (id, user_id, bytes, state, create_time, expire_time) values ($1, $2, $3, 'reserved', $4, $5)
     on conflict (id) do update set bytes = $3, expire_time = $5
       where storage_items.user_id = $2 and storage_items.state = 'reserved'`,
    [item.id, item.userId, item.bytes, item.now, item.expireTime],
  );
}

/** What is stored now; without `bytes`, an item that is gone, for good. */
export type StorageChange = { itemId: string; userId: string; bytes: number | undefined };

/**
 * Notes what is stored and what is gone. Changes may come twice and in any order: what is gone stays gone. Each account's items are its own: an item of another account
 * isn't touched.
 */
export async function recordStorage(sql: Sql, changes: readonly StorageChange[], now: Date): Promise<void> {
  for (const { itemId, userId, bytes } of changes) {
    await sql.query(
      `insert into storage_items (id, user_id, bytes, state, create_time, expire_time) values ($1, $2, $3, $4, $5, $5)
       on conflict (id) do update set bytes = $3, state = $4
         where storage_items.user_id = $2 and storage_items.state <> 'released'
           and (storage_items.state, storage_items.bytes) is distinct from ($4, $3)`,
      [itemId, userId, bytes ?? 0, bytes === undefined ? "released" : "stored", now],
    );
  }
}

/** An account whose ledger doesn't add up to its items. */
export type StorageImbalance = { userId: string; ledgerBytes: number; itemBytes: number };

/** Accounts whose ledger changed since `since` and whose balance isn't what their items say: none, unless somebody changed them by hand. At most a hundred. */
export async function findStorageImbalances(sql: Sql, since: Date): Promise<StorageImbalance[]> {
  return await sql.query<StorageImbalance>(
    `with changed as (select distinct user_id from storage_ledger where record_time >= $1 limit 10000),
     balances as (
       select user_id,
         (select coalesce(sum(reserved_bytes + stored_bytes), 0)::float8 from storage_ledger entry where entry.user_id = changed.user_id)
           as "ledgerBytes",
         (select coalesce(sum(bytes), 0)::float8 from storage_items item where item.user_id = changed.user_id and state <> 'released')
           as "itemBytes"
       from changed)
     select user_id as "userId", "ledgerBytes", "itemBytes" from balances where "ledgerBytes" <> "itemBytes" limit 100`,
    [since],
  );
}
