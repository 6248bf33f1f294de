import type { JWK } from "jose";
import type { Sql } from "../store/store.ts";

/** A key as the database keeps it. */
export type StoredSigningKey = { kid: string; privateJwk: JWK; createTime: Date };

/** Every key, the newest first; other processes that ask wait until the transaction ends. */
export async function lockSigningKeys(sql: Sql): Promise<StoredSigningKey[]> {
  await sql.query("lock table signing_keys in share row exclusive mode");
  return await sql.query<{ kid: string; privateJwk: JWK; createTime: Date }>(
    `select kid, private_jwk as "privateJwk", create_time as "createTime" from signing_keys order by create_time desc, kid`,
  );
}

export async function insertSigningKey(sql: Sql, key: StoredSigningKey): Promise<void> {
  await sql.query("insert into signing_keys (kid, private_jwk, create_time) values ($1, $2, $3)", [
    key.kid,
    JSON.stringify(key.privateJwk),
    key.createTime,
  ]);
}
