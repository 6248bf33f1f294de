import type { Role } from "../account/account.ts";
import type { Sql } from "../store/store.ts";
import { type ApiKey, maxKeys } from "./api-key.ts";
import type { ServiceAccount, ServiceAccountKind } from "./service-account.ts";

const keyColumns = `id, user_id as "userId", service_account_id as "serviceAccountId", name, prefix, scopes, create_time as "createTime",
  expire_time as "expireTime", last_use_time as "lastUseTime"`;
const accountColumns = `id, name, kind, scopes, create_time as "createTime", disable_time as "disableTime"`;

/** Whose keys: a person's, or a service account's. */
export type KeyHolder = { userId: string } | { serviceAccountId: string };

const columnOf = (holder: KeyHolder) => ("userId" in holder ? "user_id" : "service_account_id");
const idOf = (holder: KeyHolder) => ("userId" in holder ? holder.userId : holder.serviceAccountId);

/** Adds a key. Breaks a foreign key if its holder is gone. */
export async function insertKey(sql: Sql, key: ApiKey, secretHash: Buffer): Promise<void> {
  await sql.query(insertedKey, keyValues(key, secretHash));
}

/** Adds a key; false if its secret is one already. */
export async function insertKeyUnlessThere(sql: Sql, key: ApiKey, secretHash: Buffer): Promise<boolean> {
  const rows = await sql.query(
    `${insertedKey} on conflict (secret_hash) do nothing returning id`,
    keyValues(key, secretHash),
  );
  return rows.length > 0;
}

const insertedKey = `insert into api_keys (id, user_id, service_account_id, name, prefix, secret_hash, scopes, create_time, expire_time)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

function keyValues(key: ApiKey, secretHash: Buffer): unknown[] {
  const { id, userId, serviceAccountId, name, prefix, scopes, createTime, expireTime } = key;
  return [id, userId, serviceAccountId, name, prefix, secretHash, scopes, createTime, expireTime];
}

export async function countKeys(sql: Sql, holder: KeyHolder): Promise<number> {
  const [row] = await sql.query<{ n: number }>(
    `select count(*)::int as n from api_keys where ${columnOf(holder)} = $1`,
    [idOf(holder)],
  );
  return row?.n ?? 0;
}

/** A holder's keys, the newest first. */
export async function listKeys(sql: Sql, holder: KeyHolder): Promise<ApiKey[]> {
  return await sql.query<ApiKey>(
    `select ${keyColumns} from api_keys where ${columnOf(holder)} = $1 order by create_time desc, id limit $2`,
    [idOf(holder), maxKeys],
  );
}

export async function findKey(sql: Sql, id: string): Promise<ApiKey | undefined> {
  const [key] = await sql.query<ApiKey>(`select ${keyColumns} from api_keys where id = $1`, [id]);
  return key;
}

/** What the database keeps of a key's secret. */
export async function findKeyHash(sql: Sql, id: string): Promise<Buffer> {
  const [key] = await sql.query<{ hash: Buffer }>("select secret_hash as hash from api_keys where id = $1", [id]);
  return key?.hash ?? Buffer.alloc(0);
}

/** Removes a key. Whether there was one. */
export async function deleteKey(sql: Sql, id: string): Promise<boolean> {
  return (await sql.query("delete from api_keys where id = $1 returning id", [id])).length > 0;
}

/** A key with what its holder may do now; undefined if it is unknown, has ended, or its account is disabled. */
export type ExchangeableKey = {
  id: string;
  holderId: string;
  /** The role of the person; null for a service account. */
  role: Role | null;
  /** The kind of the service account, and its name; null for a person. */
  kind: ServiceAccountKind | null;
  accountName: string | null;
  prefix: string;
  scopes: string[];
  /** What the service account may have now; null for a person. */
  accountScopes: string[] | null;
  lastUseTime: Date | null;
};

export async function findExchangeable(sql: Sql, secretHash: Buffer, now: Date): Promise<ExchangeableKey | undefined> {
  const [key] = await sql.query<ExchangeableKey>(
    `select k.id, coalesce(k.user_id, k.service_account_id) as "holderId", u.role, a.kind, a.name as "accountName", k.prefix, k.scopes, a.scopes as "accountScopes",
       k.last_use_time as "lastUseTime"
     from api_keys k left join users u on u.id = k.user_id left join service_accounts a on a.id = k.service_account_id
     where k.secret_hash = $1 and (k.expire_time is null or k.expire_time > $2) and u.disable_time is null and a.disable_time is null`,
    [secretHash, now],
  );
  return key;
}

/** Notes that a key was used. False if another use of this moment was faster. */
export async function touchKey(sql: Sql, key: { id: string; lastUseTime: Date | null }, now: Date): Promise<boolean> {
  const touched = await sql.query(
    "update api_keys set last_use_time = $2 where id = $1 and last_use_time is not distinct from $3 returning id",
    [key.id, now, key.lastUseTime],
  );
  return touched.length > 0;
}

/** Adds a service account. Breaks constraint `service_accounts_name_key` where the name is taken. */
export async function insertServiceAccount(sql: Sql, account: ServiceAccount): Promise<void> {
  await sql.query(insertedAccount, accountValues(account));
}

/** Adds a service account; false if there is one of its name. */
export async function insertServiceAccountUnlessThere(sql: Sql, account: ServiceAccount): Promise<boolean> {
  const rows = await sql.query(`${insertedAccount} on conflict (name) do nothing returning id`, accountValues(account));
  return rows.length > 0;
}

const insertedAccount =
  "insert into service_accounts (id, name, kind, scopes, create_time) values ($1, $2, $3, $4, $5)";

function accountValues({ id, name, kind, scopes, createTime }: ServiceAccount): unknown[] {
  return [id, name, kind, scopes, createTime];
}

export async function countServiceAccounts(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ n: number }>("select count(*)::int as n from service_accounts");
  return row?.n ?? 0;
}

/** All service accounts, by name. */
export async function listServiceAccounts(sql: Sql): Promise<ServiceAccount[]> {
  return await sql.query<ServiceAccount>(`select ${accountColumns} from service_accounts order by name`);
}

export async function findServiceAccount(sql: Sql, id: string): Promise<ServiceAccount | undefined> {
  const [account] = await sql.query<ServiceAccount>(`select ${accountColumns} from service_accounts where id = $1`, [
    id,
  ]);
  return account;
}

export async function findServiceAccountByName(sql: Sql, name: string): Promise<ServiceAccount | undefined> {
  const [account] = await sql.query<ServiceAccount>(`select ${accountColumns} from service_accounts where name = $1`, [
    name,
  ]);
  return account;
}

/** Disables a service account, or, with null, enables it. */
export async function setServiceAccountDisabled(sql: Sql, id: string, disableTime: Date | null): Promise<void> {
  await sql.query("update service_accounts set disable_time = $2 where id = $1", [id, disableTime]);
}

/** Removes a service account with its keys. Whether there was one. */
export async function deleteServiceAccount(sql: Sql, id: string): Promise<boolean> {
  return (await sql.query("delete from service_accounts where id = $1 returning id", [id])).length > 0;
}
