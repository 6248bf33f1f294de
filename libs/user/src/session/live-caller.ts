import { type Caller, DomainError } from "@kinora/rpc";
import type { Sql } from "../store/store.ts";

type User = Extract<Caller, { kind: "user" }>;
type Machine = Extract<Caller, { kind: "service" | "worker" }>;

/**
 * Whether what an access token came from is still there: the session or the API key, and its account, which isn't disabled. A token itself is good for ten minutes, whatever happens meanwhile; what
 * changes accounts and credentials, and services that can't wait, ask this (ASVS 7.4.1, 7.4.2).
 */
export async function isLive(sql: Sql, caller: User, now: Date): Promise<boolean> {
  if (caller.sessionId === undefined) return await isLiveKey(sql, caller.keyId, caller.userId, now);
  const found = await sql.query(
    `select 1 from sessions s join users u on u.id = s.user_id
     where s.id = $1::uuid and s.user_id = $2::uuid and s.idle_expire_time > $3 and s.expire_time > $3 and u.disable_time is null`,
    [caller.sessionId, caller.userId, now],
  );
  return found.length > 0;
}

/** The same for the token of a service or worker. One without a key is this service's own, which signed it and has nothing to end. */
export async function isLiveMachine(sql: Sql, caller: Machine, now: Date): Promise<boolean> {
  return caller.keyId === undefined || (await isLiveKey(sql, caller.keyId, caller.id, now));
}

async function isLiveKey(sql: Sql, keyId: string | undefined, holderId: string, now: Date): Promise<boolean> {
  const found = await sql.query(
    `select 1 from api_keys k left join users u on u.id = k.user_id left join service_accounts a on a.id = k.service_account_id
     where k.id = $1::uuid and coalesce(k.user_id, k.service_account_id) = $2::uuid
       and (k.expire_time is null or k.expire_time > $3) and u.disable_time is null and a.disable_time is null`,
    [keyId, holderId, now],
  );
  return found.length > 0;
}

/** Throws `unauthenticated` unless the caller's session or key is still there. */
export async function requireLive(sql: Sql, caller: User, now: Date): Promise<void> {
  if (!(await isLive(sql, caller, now))) throw sessionEnded();
}

export function sessionEnded(): DomainError {
  return new DomainError("unauthenticated", "this session has ended; log in again");
}
