import type { PassedCheck } from "../check/assurance.ts";
import type { Sql } from "../store/store.ts";
import { readChecks } from "./session.store.ts";
import { maxPendingTries } from "./session.ts";

/** A login whose checks don't suffice yet. */
export type PendingSession = {
  id: string;
  userId: string;
  /** An `addressKey`. */
  clientAddress: string;
  device: string;
  checks: readonly PassedCheck[];
};

type Row = Omit<PendingSession, "checks"> & { checks: { factor: PassedCheck["factor"]; time: string }[] };

const columns = `id, user_id as "userId", client_address as "clientAddress", device, checks`;

/** Adds a login. False if the user is gone, or has another password than `passwordHash`, where that is given; as for a session (`insertSession`). */
export async function insertPending(
  sql: Sql,
  pending: PendingSession,
  tokenHash: Buffer,
  expireTime: Date,
  passwordHash: string | undefined,
): Promise<boolean> {
  const made = await sql.query(
    `insert into pending_sessions (token_hash, id, user_id, client_address, device, checks, tries, expire_time)
     select $1, $2::uuid, id, $4, $5, $6::jsonb, 0, $7::timestamptz
     from users where id = $3 and ($8::text is null or password_hash = $8) for key share
     returning 1`,
    [
      tokenHash,
      pending.id,
      pending.userId,
      pending.clientAddress,
      pending.device,
      JSON.stringify(pending.checks),
      expireTime,
      passwordHash ?? null,
    ],
  );
  return made.length > 0;
}

/** The login, with one try counted; undefined if it has expired, or used up its tries. Tries at the same moment can't exceed the limit together. */
export async function tryPending(sql: Sql, tokenHash: Buffer, now: Date): Promise<PendingSession | undefined> {
  const [row] = await sql.query<Row>(
    `update pending_sessions set tries = tries + 1 where token_hash = $1 and expire_time > $2 and tries < $3 returning ${columns}`,
    [tokenHash, now, maxPendingTries],
  );
  return row && { ...row, checks: readChecks(row.checks) };
}

/** Whose login it is; undefined if it has expired. */
export async function findPendingUser(sql: Sql, tokenHash: Buffer, now: Date): Promise<string | undefined> {
  const [row] = await sql.query<{ userId: string }>(
    `select user_id as "userId" from pending_sessions where token_hash = $1 and expire_time > $2`,
    [tokenHash, now],
  );
  return row?.userId;
}

/** Notes a further check. */
export async function updatePending(sql: Sql, id: string, checks: readonly PassedCheck[]): Promise<void> {
  await sql.query("update pending_sessions set checks = $2 where id = $1", [id, JSON.stringify(checks)]);
}

/** Takes the login away; whether it was there. Of several who complete it at the same moment one sees true. */
export async function takePending(sql: Sql, id: string): Promise<boolean> {
  return (await sql.query("delete from pending_sessions where id = $1 returning 1", [id])).length > 0;
}
