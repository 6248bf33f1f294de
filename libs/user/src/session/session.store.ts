import type { PassedCheck } from "../check/assurance.ts";
import type { Sql } from "../store/store.ts";
import { maxSessionsPerUser, maxUsedTokens, type Session } from "./session.ts";

const columns = `id, user_id as "userId", client_address as "clientAddress", create_time as "createTime",
  refresh_time as "refreshTime", idle_expire_time as "idleExpireTime", expire_time as "expireTime"`;

/** Adds a session and its first refresh token. Breaks constraint `sessions_user_id_fkey` if the user is gone. */
export async function insertSession(sql: Sql, session: Session, tokenHash: Buffer): Promise<void> {
  await sql.query(
    `insert into sessions (id, user_id, client_address, create_time, refresh_time, idle_expire_time, expire_time)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      session.id,
      session.userId,
      session.clientAddress,
      session.createTime,
      session.refreshTime,
      session.idleExpireTime,
      session.expireTime,
    ],
  );
  await insertToken(sql, session.id, tokenHash, session.createTime);
  await sql.query(
    `delete from sessions where id in (
       select id from sessions where user_id = $1 and id <> $2 order by refresh_time desc, id offset $3)`,
    [session.userId, session.id, maxSessionsPerUser - 1],
  );
}

/** A refresh token's session, and whether the token was used. */
export async function findToken(
  sql: Sql,
  tokenHash: Buffer,
): Promise<{ sessionId: string; used: boolean } | undefined> {
  const [found] = await sql.query<{ sessionId: string; used: boolean }>(
    `select session_id as "sessionId", use_time is not null as used from refresh_tokens where token_hash = $1`,
    [tokenHash],
  );
  return found;
}

/** The session, kept as it is until the transaction ends: one refresh of a session at a time. */
export async function lockSession(sql: Sql, id: string): Promise<Session | undefined> {
  const [session] = await sql.query<Session>(`select ${columns} from sessions where id = $1 for update`, [id]);
  return session;
}

export async function findSession(sql: Sql, id: string): Promise<Session | undefined> {
  const [session] = await sql.query<Session>(`select ${columns} from sessions where id = $1`, [id]);
  return session;
}

/** Replaces a session's token by the next one. */
export async function rotateToken(
  sql: Sql,
  rotation: { sessionId: string; usedHash: Buffer; nextHash: Buffer; now: Date; idleExpireTime: Date },
): Promise<void> {
  const { sessionId, usedHash, nextHash, now, idleExpireTime } = rotation;
  await sql.query("update refresh_tokens set use_time = $2 where token_hash = $1", [usedHash, now]);
  await insertToken(sql, sessionId, nextHash, now);
  await sql.query(
    `delete from refresh_tokens where session_id = $1 and use_time is not null and create_time < (
       select create_time from refresh_tokens where session_id = $1 order by create_time desc offset $2 limit 1)`,
    [sessionId, maxUsedTokens],
  );
  await sql.query("update sessions set refresh_time = $2, idle_expire_time = $3 where id = $1", [
    sessionId,
    now,
    idleExpireTime,
  ]);
}

/** Ends a session: neither it nor any of its refresh tokens is there any more. */
export async function deleteSession(sql: Sql, id: string): Promise<void> {
  await sql.query("delete from sessions where id = $1", [id]);
}

/** Ends a user's sessions, but for one. */
export async function endSessions(sql: Sql, userId: string, keep: { except?: string | undefined } = {}): Promise<void> {
  await sql.query("delete from sessions where user_id = $1 and ($2::uuid is null or id <> $2)", [
    userId,
    keep.except ?? null,
  ]);
}

/** What was shown for a session, and when. */
export async function passedChecks(sql: Sql, id: string): Promise<PassedCheck[]> {
  const [session] = await sql.query<{ time: Date }>("select create_time as time from sessions where id = $1", [id]);
  return session === undefined ? [] : [{ factor: "password", time: session.time }];
}

/** Ends the session of a refresh token, used or not. */
export async function deleteSessionOfToken(sql: Sql, tokenHash: Buffer): Promise<void> {
  await sql.query("delete from sessions where id = (select session_id from refresh_tokens where token_hash = $1)", [
    tokenHash,
  ]);
}

/** Whether the user has a living session that began at this address. */
export async function hasSessionFrom(sql: Sql, userId: string, clientAddress: string, now: Date): Promise<boolean> {
  const found = await sql.query(
    "select 1 from sessions where user_id = $1 and client_address = $2 and idle_expire_time > $3 limit 1",
    [userId, clientAddress, now],
  );
  return found.length > 0;
}

/** Removes sessions that have expired. */
export async function deleteExpiredSessions(sql: Sql, now: Date): Promise<void> {
  await sql.query("delete from sessions where idle_expire_time <= $1", [now]);
}

async function insertToken(sql: Sql, sessionId: string, tokenHash: Buffer, now: Date): Promise<void> {
  await sql.query("insert into refresh_tokens (token_hash, session_id, create_time) values ($1, $2, $3)", [
    tokenHash,
    sessionId,
    now,
  ]);
}
