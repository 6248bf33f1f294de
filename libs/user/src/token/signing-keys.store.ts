import type { Sql } from "../store/store.ts";

/** A key as the database keeps it: its private part (PKCS #8) sealed. */
export type StoredSigningKey = {
  kid: string;
  /** The public part's `x` (RFC 8037). */
  x: string;
  sealed: Buffer;
  createTime: Date;
  activateTime: Date;
  retireTime: Date;
};

/** A key of a release before 0.2, in plain. */
export type LegacySigningKey = { kid: string; privateJwk: { x: string; d: string }; createTime: Date };

const columns = `kid, x, sealed_private_key as sealed, create_time as "createTime", activate_time as "activateTime",
  retire_time as "retireTime"`;

/** Every key; the order says nothing. */
export async function listSigningKeys(sql: Sql): Promise<StoredSigningKey[]> {
  return await sql.query<StoredSigningKey>(`select ${columns} from token_keys`);
}

/** Keeps other processes from making keys until the transaction ends. */
export async function lockSigningKeys(sql: Sql): Promise<void> {
  await sql.query("lock table token_keys in share row exclusive mode");
}

export async function insertSigningKey(sql: Sql, key: StoredSigningKey): Promise<void> {
  await sql.query(
    `insert into token_keys (kid, x, sealed_private_key, create_time, activate_time, retire_time)
     values ($1, $2, $3, $4, $5, $6)`,
    [key.kid, key.x, key.sealed, key.createTime, key.activateTime, key.retireTime],
  );
}

/** Removes keys that have retired. */
export async function deleteRetiredKeys(sql: Sql, now: Date): Promise<void> {
  await sql.query("delete from token_keys where retire_time <= $1", [now]);
}

/** The keys that releases before 0.2 made, the newest first. */
export async function listLegacyKeys(sql: Sql): Promise<LegacySigningKey[]> {
  return await sql.query<LegacySigningKey>(
    `select kid, private_jwk as "privateJwk", create_time as "createTime" from signing_keys order by create_time desc, kid`,
  );
}

export async function deleteLegacyKeys(sql: Sql, kids: readonly string[]): Promise<void> {
  await sql.query("delete from signing_keys where kid = any($1)", [kids]);
}
