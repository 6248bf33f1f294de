import type { Sql } from "../store/store.ts";

/** Counts an attempt in the window that is open, or opens one until `windowEnd`. */
export async function countAttempt(
  sql: Sql,
  key: string,
  now: Date,
  windowEnd: Date,
): Promise<{ attempts: number; windowEnd: Date }> {
  const [counted] = await sql.query<{ attempts: number; windowEnd: Date }>(
    `insert into login_attempts as counted (key, attempts, window_end) values ($1, 1, $3)
     on conflict (key) do update set
       attempts = case when counted.window_end <= $2 then 1 else counted.attempts + 1 end,
       window_end = case when counted.window_end <= $2 then $3 else counted.window_end end
     returning attempts, window_end as "windowEnd"`,
    [key, now, windowEnd],
  );
  if (counted === undefined) throw new Error("an upsert returned no row");
  return counted;
}

/** Takes one attempt away from each count. */
export async function uncountAttempts(sql: Sql, keys: readonly string[]): Promise<void> {
  await sql.query(
    `update login_attempts set attempts = greatest(attempts - 1, 0)
     where key in (select key from login_attempts where key = any($1) order by key for update)`,
    [keys],
  );
}

/** Removes counts whose window is over, but for the ones that somebody is using: waiting for those could be mutual. */
export async function deleteOldAttempts(sql: Sql, now: Date): Promise<void> {
  await sql.query(
    `delete from login_attempts
     where key in (select key from login_attempts where window_end <= $1 limit 10000 for update skip locked)`,
    [now],
  );
}
