import type { Sql } from "../store/store.ts";
import type { Reservation } from "./quota.ts";

// bigint comes as text from node-postgres; as float8 it is a number, exact up to 2^53 ms (285,000 years of video).

export async function userExists(sql: Sql, userId: string): Promise<boolean> {
  const found = await sql.query(
    "select 1 from users where id = $1 union all select 1 from service_accounts where id = $1",
    [userId],
  );
  return found.length > 0;
}

/** What a user has used since `since` and has set aside now: one statement, so that a settlement between the two isn't missed. */
export async function sumUsage(
  sql: Sql,
  userId: string,
  since: Date,
  now: Date,
): Promise<{ usedMs: number; reservedMs: number }> {
  const [sums] = await sql.query<{ usedMs: number; reservedMs: number }>(
    `select
       (select coalesce(sum(milliseconds), 0)::float8 from usage_ledger
        where user_id = $1 and record_time >= $2) as "usedMs",
       (select coalesce(sum(milliseconds), 0)::float8 from quota_reservations
        where user_id = $1 and state = 'reserved' and expire_time > $3) as "reservedMs"`,
    [userId, since, now],
  );
  return sums ?? { usedMs: 0, reservedMs: 0 };
}

/** The reservation, kept as it is until the transaction ends. */
export async function lockReservation(sql: Sql, id: string): Promise<Reservation | undefined> {
  const [reservation] = await sql.query<Reservation>(
    `select user_id as "userId", milliseconds::float8 as milliseconds, state, expire_time as "expireTime"
     from quota_reservations where id = $1 for update`,
    [id],
  );
  return reservation;
}

/**
 * Adds a reservation, or extends the user's open one of this identifier. False if another user's took the identifier meanwhile:
 * the lock on the user's row doesn't hold that one up.
 */
export async function putReservation(
  sql: Sql,
  reservation: { id: string; userId: string; milliseconds: number; now: Date; expireTime: Date },
): Promise<boolean> {
  const { id, userId, milliseconds, now, expireTime } = reservation;
  const written = await sql.query(
    `insert into quota_reservations (id, user_id, milliseconds, state, create_time, expire_time)
     values ($1, $2, $3, 'reserved', $4, $5)
     on conflict (id) do update set milliseconds = $3, expire_time = $5
       where quota_reservations.user_id = $2 and quota_reservations.state = 'reserved'
     returning id`,
    [id, userId, milliseconds, now, expireTime],
  );
  return written.length > 0;
}

/** Ends a reservation. */
export async function endReservation(sql: Sql, id: string, state: "settled" | "released"): Promise<void> {
  await sql.query("update quota_reservations set state = $2 where id = $1", [id, state]);
}

/** Writes down what was used. The ledger is append-only: the database refuses changes. */
export async function recordUsage(
  sql: Sql,
  usage: { userId: string; reservationId: string; milliseconds: number; now: Date },
): Promise<void> {
  await sql.query(
    "insert into usage_ledger (user_id, reservation_id, milliseconds, record_time) values ($1, $2, $3, $4)",
    [usage.userId, usage.reservationId, usage.milliseconds, usage.now],
  );
}

/** A user whose ledger doesn't add up to what is set aside and used. */
export type Imbalance = {
  userId: string;
  ledgerReservedMs: number;
  reservedMs: number;
  ledgerUsedMs: number;
  usedMs: number;
};

/**
 * Users whose ledger changed since `since` and whose balance, which is derived from it, isn't what reservations and usage say: none, unless somebody changed
 * them by hand. At most a hundred, among at most 10,000 users looked at.
 */
export async function findImbalances(sql: Sql, since: Date): Promise<Imbalance[]> {
  return await sql.query<Imbalance>(
    `with changed as (select distinct user_id from quota_ledger where record_time >= $1 limit 10000),
     balances as (
       select user_id,
         (select coalesce(sum(reserved_milliseconds), 0)::float8 from quota_ledger entry where entry.user_id = changed.user_id)
           as "ledgerReservedMs",
         (select coalesce(sum(milliseconds), 0)::float8 from quota_reservations open
           where open.user_id = changed.user_id and state = 'reserved') as "reservedMs",
         (select coalesce(sum(used_milliseconds), 0)::float8 from quota_ledger entry where entry.user_id = changed.user_id)
           as "ledgerUsedMs",
         (select coalesce(sum(milliseconds), 0)::float8 from usage_ledger used where used.user_id = changed.user_id) as "usedMs"
       from changed)
     select user_id as "userId", "ledgerReservedMs", "reservedMs", "ledgerUsedMs", "usedMs" from balances
     where "ledgerReservedMs" <> "reservedMs" or "ledgerUsedMs" <> "usedMs" limit 100`,
    [since],
  );
}
