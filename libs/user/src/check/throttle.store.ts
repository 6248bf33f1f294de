import type { Sql } from "../store/store.ts";

/** What is counted: how many there may be under this key, and in what time. */
export type Counter = { key: string; attempts: number; seconds: number };

/** `until` is when the longest of the counts that are full begins anew; the attempt then counts under none of the keys. */
export type Counted = { admitted: true } | { admitted: false; until: Date };

/**
 * The commit doesn't wait for the disk: what counts for anything is followed by one that does (an event, a session). What a crash of the database can lose is the count
 * of attempts that nobody has had an answer to.
 */
export const withoutWaiting = "set_config('synchronous_commit', 'off', true)";

/** What the common table expressions of `counting` find, a row for each key that was counted. */
export type CountedRow = { key: string | null; until: Date | null };

/**
 * The part of a statement that counts an attempt under all of the keys, or under none if one of them is full: `counted` has the keys, and `refused` until when. Its first four parameters are
 * `countingValues`; `applies` is a condition on `given.key`. The rows are locked for no longer than the statement takes, in the order of the keys, so that two attempts can't wait for each other.
 */
export const counting = (applies = "true") => `counter as (
       select key, attempts as most, $4::timestamptz + seconds * interval '1 second' as window_end
       from unnest($1::text[], $2::int[], $3::int[]) as given (key, attempts, seconds) where ${applies}
     ), open as materialized (
       select key, attempts, window_end from login_attempts where key in (select key from counter) order by key for update
     ), refused as (
       select max(open.window_end) as until from open join counter using (key)
       where open.window_end > $4 and open.attempts >= counter.most
     ), counted as (
       insert into login_attempts as counted (key, attempts, window_end)
       select key, 1, window_end from counter where (select until is null from refused) order by key
       on conflict (key) do update set
         attempts = case when counted.window_end <= $4 then 1 else counted.attempts + 1 end,
         window_end = case when counted.window_end <= $4 then excluded.window_end else counted.window_end end
         where counted.window_end <= $4 or counted.attempts < (select most from counter where counter.key = counted.key)
       returning key
     )`;

export const countingValues = (counters: readonly Counter[], now: Date) => [
  counters.map(({ key }) => key),
  counters.map(({ attempts }) => attempts),
  counters.map(({ seconds }) => seconds),
  now,
];

/** Counts an attempt under all of the keys, or under none if one of them is full. */
export async function countAttempt(sql: Sql, counters: readonly Counter[], now: Date): Promise<Counted> {
  const rows = await sql.query<CountedRow>(
    `with ${counting()} select counted.key, refused.until, ${withoutWaiting} from refused left join counted on true`,
    countingValues(counters, now),
  );
  return await judgeCount(sql, counters, rows, now);
}

/** What the rows of `counting` mean. Counts that were filled while the statement went on are taken back. */
export async function judgeCount(
  sql: Sql,
  counters: readonly Counter[],
  rows: readonly CountedRow[],
  now: Date,
): Promise<Counted> {
  const until = rows[0]?.until ?? null;
  if (until !== null) return { admitted: false, until };
  const counted = rows.flatMap(({ key }) => key ?? []);
  const full = counters.filter(({ key }) => !counted.includes(key));
  if (full.length === 0) return { admitted: true };
  // There was no row to lock when the statement began, and by now others have filled the count: its window is as good as new.
  await uncountAttempts(sql, counted);
  return { admitted: false, until: new Date(now.getTime() + 1000 * Math.max(...full.map(({ seconds }) => seconds))) };
}

/** The part of a statement that takes one attempt away from the count of each key in `keys`, a parameter of the statement. */
export const uncounting = (keys: string) => `update login_attempts set attempts = greatest(attempts - 1, 0)
     where key in (select key from login_attempts where key = any(${keys}) order by key for update)`;

/** Takes one attempt away from each count. */
export async function uncountAttempts(sql: Sql, keys: readonly string[]): Promise<void> {
  await sql.query(uncounting("$1"), [keys]);
}

/** Removes counts whose window is over, but for the ones that somebody is using: waiting for those could be mutual. */
export async function deleteOldAttempts(sql: Sql, now: Date): Promise<void> {
  await sql.query(
    `delete from login_attempts
     where key in (select key from login_attempts where window_end <= $1 limit 10000 for update skip locked)`,
    [now],
  );
}
