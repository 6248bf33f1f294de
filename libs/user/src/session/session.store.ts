import { addingEvent, eventValues } from "../audit/audit.store.ts";
import type { AuditEntry } from "../audit/audit.ts";
import type { PassedCheck } from "../check/assurance.ts";
import type { Sql } from "../store/store.ts";
import type { TokenState } from "./refresh-decision.ts";
import { maxSessionsPerUser, maxUsedTokens, type Session } from "./session.ts";

const columns = `id, user_id as "userId", client_address as "clientAddress", coalesce(last_address, client_address) as "lastAddress",
  device, checks, create_time as "createTime", refresh_time as "refreshTime", idle_expire_time as "idleExpireTime",
  expire_time as "expireTime"`;

type StoredCheck = { factor: PassedCheck["factor"]; time: string };
type Row = Omit<Session, "checks"> & { checks: StoredCheck[] };

/** Sessions of the release before have no checks on record: there was only the password. */
function toSession(row: Row): Session {
  return {
    ...row,
    checks: row.checks.length === 0 ? [{ factor: "password", time: row.createTime }] : readChecks(row.checks),
  };
}

/** Checks as JSON has them. */
export function readChecks(checks: readonly StoredCheck[]): PassedCheck[] {
  return checks.map(({ factor, time }) => ({ factor, time: new Date(time) }));
}

/**
 * Adds a session with its first refresh token and its event, in one statement, as every login comes by here. The sessions used longest ago make room. False if the user is gone or
 * disabled, or has another password than `passwordHash`, where that is given: the row is locked, so whoever disables or deletes it, or gives it another password, either comes before, or
 * sees the session and ends it.
 */
export async function insertSession(
  sql: Sql,
  session: Session,
  tokenHash: Buffer,
  event: AuditEntry,
  passwordHash: string | undefined,
): Promise<boolean> {
  const made = await sql.query(
    `with holder as (
       select id from users where id = $2 and disable_time is null and ($13::text is null or password_hash = $13) for key share
     ), made as (
       insert into sessions (id, user_id, client_address, last_address, device, checks, create_time, refresh_time, idle_expire_time, expire_time)
       select $1, id, $3, $4, $5, $6::jsonb, $7::timestamptz, $8::timestamptz, $9::timestamptz, $10::timestamptz from holder returning id
     ), token as (
       insert into refresh_tokens (token_hash, session_id, create_time) select $11, id, $7 from made
     ), room as (
       delete from sessions where id in (
         select id from sessions where id in (
           select id from sessions where user_id = $2 order by refresh_time desc, id offset $12)
         for update skip locked)
     ), noted as (${addingEvent(14, "made")})
     select id from made`,
    [
      session.id,
      session.userId,
      session.clientAddress,
      session.lastAddress,
      session.device,
      JSON.stringify(session.checks),
      session.createTime,
      session.refreshTime,
      session.idleExpireTime,
      session.expireTime,
      tokenHash,
      maxSessionsPerUser - 1, // the statement sees what was there before it
      passwordHash ?? null,
      ...eventValues(event),
    ],
  );
  return made.length > 0;
}

/** A refresh token's session, and what became of the token. */
export async function findToken(
  sql: Sql,
  tokenHash: Buffer,
): Promise<(TokenState & { sessionId: string }) | undefined> {
  const [found] = await sql.query<TokenState & { sessionId: string }>(
    `select session_id as "sessionId", use_time as "useTime", use_device as "useDevice", successor_salt as "successorSalt"
     from refresh_tokens where token_hash = $1`,
    [tokenHash],
  );
  return found;
}

/** The session, kept as it is until the transaction ends: one refresh of a session at a time. */
export async function lockSession(sql: Sql, id: string): Promise<Session | undefined> {
  const [row] = await sql.query<Row>(`select ${columns} from sessions where id = $1 for update`, [id]);
  return row && toSession(row);
}

export async function findSession(sql: Sql, id: string): Promise<Session | undefined> {
  const [row] = await sql.query<Row>(`select ${columns} from sessions where id = $1`, [id]);
  return row && toSession(row);
}

/** A user's sessions that haven't expired, the one used last first. */
export async function listSessions(sql: Sql, userId: string, now: Date): Promise<Session[]> {
  const rows = await sql.query<Row>(
    `select ${columns} from sessions where user_id = $1 and idle_expire_time > $2 and expire_time > $2
     order by refresh_time desc, id limit $3`,
    [userId, now, maxSessionsPerUser],
  );
  return rows.map(toSession);
}

/** Replaces a session's token by the next one, which `salt` makes of it. */
export async function rotateToken(
  sql: Sql,
  rotation: {
    sessionId: string;
    usedHash: Buffer;
    salt: Buffer;
    nextHash: Buffer;
    now: Date;
    idleExpireTime: Date;
    device: string;
    address: string;
  },
): Promise<void> {
  const { sessionId, usedHash, salt, nextHash, now, idleExpireTime, device, address } = rotation;
  // The token before has had its answer: this one is what it was.
  await sql.query(
    "update refresh_tokens set successor_salt = null where session_id = $1 and successor_salt is not null",
    [sessionId],
  );
  await sql.query(
    "update refresh_tokens set use_time = $2, successor_salt = $3, use_device = $4 where token_hash = $1",
    [usedHash, now, salt, device],
  );
  await insertToken(sql, sessionId, nextHash, now);
  await sql.query(
    `delete from refresh_tokens where session_id = $1 and use_time is not null and create_time < (
       select create_time from refresh_tokens where session_id = $1 order by create_time desc offset $2 limit 1)`,
    [sessionId, maxUsedTokens],
  );
  await sql.query("update sessions set refresh_time = $2, idle_expire_time = $3, last_address = $4 where id = $1", [
    sessionId,
    now,
    idleExpireTime,
    address,
  ]);
}

/** Notes a further check of a session, and replaces whatever tokens it has by a new one, which follows from none of them. */
export async function renewSession(
  sql: Sql,
  session: Pick<Session, "id" | "checks" | "idleExpireTime" | "lastAddress">,
  tokenHash: Buffer,
  now: Date,
): Promise<void> {
  await sql.query(
    "update refresh_tokens set use_time = coalesce(use_time, $2), successor_salt = null where session_id = $1",
    [session.id, now],
  );
  await insertToken(sql, session.id, tokenHash, now);
  await sql.query(
    "update sessions set checks = $2, refresh_time = $3, idle_expire_time = $4, last_address = $5 where id = $1",
    [session.id, JSON.stringify(session.checks), now, session.idleExpireTime, session.lastAddress],
  );
}

/** Ends a session: neither it nor any of its refresh tokens is there any more. */
export async function deleteSession(sql: Sql, id: string): Promise<void> {
  await sql.query("delete from sessions where id = $1", [id]);
}

/** Ends a user's session; whether there was one that hadn't expired. */
export async function endSession(sql: Sql, userId: string, id: string, now: Date): Promise<boolean> {
  const ended = await sql.query<{ expired: boolean }>(
    "delete from sessions where user_id = $1 and id = $2 returning least(idle_expire_time, expire_time) <= $3 as expired",
    [userId, id, now],
  );
  return ended.some(({ expired }) => !expired);
}

/** Ends a user's sessions, but for one; how many there were. Logins that aren't complete end as well. */
export async function endSessions(
  sql: Sql,
  userId: string,
  keep: { except?: string | undefined } = {},
): Promise<number> {
  await sql.query("delete from pending_sessions where user_id = $1", [userId]);
  const ended = await sql.query(
    "delete from sessions where user_id = $1 and ($2::uuid is null or id <> $2) returning 1",
    [userId, keep.except ?? null],
  );
  return ended.length;
}

/** What was shown for a session, and when. */
export async function passedChecks(sql: Sql, id: string): Promise<PassedCheck[]> {
  return [...((await findSession(sql, id))?.checks ?? [])];
}

/** Ends the session of a refresh token, used or not; whose it was. */
export async function deleteSessionOfToken(
  sql: Sql,
  tokenHash: Buffer,
): Promise<{ userId: string; id: string } | undefined> {
  const [ended] = await sql.query<{ userId: string; id: string }>(
    `delete from sessions where id = (select session_id from refresh_tokens where token_hash = $1)
     returning user_id as "userId", id`,
    [tokenHash],
  );
  return ended;
}

/** Whether the user has a living session that began at this address. */
export async function hasSessionFrom(sql: Sql, userId: string, clientAddress: string, now: Date): Promise<boolean> {
  const found = await sql.query(
    "select 1 from sessions where user_id = $1 and client_address = $2 and idle_expire_time > $3 limit 1",
    [userId, clientAddress, now],
  );
  return found.length > 0;
}

/** Removes sessions, and logins that weren't completed, that have expired. */
export async function deleteExpiredSessions(sql: Sql, now: Date): Promise<void> {
  await sql.query("delete from sessions where idle_expire_time <= $1", [now]);
  await sql.query("delete from pending_sessions where expire_time <= $1", [now]);
}

async function insertToken(sql: Sql, sessionId: string, tokenHash: Buffer, now: Date): Promise<void> {
  await sql.query("insert into refresh_tokens (token_hash, session_id, create_time) values ($1, $2, $3)", [
    tokenHash,
    sessionId,
    now,
  ]);
}

/** Whether there is such a session and it is this account's. */
export async function ownsSession(sql: Sql, userId: string, id: string): Promise<boolean> {
  return (await sql.query("select 1 from sessions where id = $1 and user_id = $2", [id, userId])).length > 0;
}
