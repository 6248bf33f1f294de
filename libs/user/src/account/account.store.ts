import type { Sql } from "../store/store.ts";
import type { Account, Role } from "./account.ts";
import type { PagePosition } from "./page-token.ts";
import type { AccountChange } from "./update-mask.ts";

/** An account, as columns of a statement over `users`. */
export const accountColumns = `id, email, name, coalesce(to_char(birth_date, 'YYYY-MM-DD'), '') as "birthDate", role,
  create_time as "createTime", update_time as "updateTime", email_verify_time as "emailVerifyTime", disable_time as "disableTime"`;

/** What a new account is made of. */
export type NewAccount = Account & { emailKey: string; passwordHash: string };

/** Adds an account. Breaks constraint `users_email_key_key` where the address has one. */
export async function insertAccount(sql: Sql, account: NewAccount): Promise<void> {
  await sql.query(
    `insert into users (id, email, email_key, name, birth_date, password_hash, role, create_time, update_time, email_verify_time)
     values ($1, $2, $3, $4, nullif($5, '')::date, $6, $7, $8, $9, $10)`,
    [
      account.id,
      account.email,
      account.emailKey,
      account.name,
      account.birthDate,
      account.passwordHash,
      account.role,
      account.createTime,
      account.updateTime,
      account.emailVerifyTime,
    ],
  );
}

export async function findAccount(sql: Sql, id: string): Promise<Account | undefined> {
  const [account] = await sql.query<Account>(`select ${accountColumns} from users where id = $1`, [id]);
  return account;
}

/** What a login needs to know of an account. */
export type Credential = Account & { passwordHash: string };

/** The account of an address, and its password's hash. */
export async function findCredential(sql: Sql, emailKey: string): Promise<Credential | undefined> {
  const [found] = await sql.query<Credential>(
    `select ${accountColumns}, password_hash as "passwordHash" from users where email_key = $1`,
    [emailKey],
  );
  return found;
}

/** Replaces a password's hash by another one of the same password, unless the password was changed meanwhile. */
export async function replacePasswordHash(sql: Sql, before: string, after: string): Promise<void> {
  await sql.query("update users set password_hash = $2 where password_hash = $1", [before, after]);
}

/** Which accounts to list; `query` is part of a name or an address. */
export type AccountFilter = { query: string; role: Role | undefined; after: PagePosition | undefined };

/** Accounts, oldest first. */
export async function listAccounts(sql: Sql, filter: AccountFilter, limit: number): Promise<Account[]> {
  const { query, role, after } = filter;
  return await sql.query<Account>(
    `select ${accountColumns} from users
     where ($1::timestamptz is null or (create_time, id) > ($1, $2))
       and ($3 = '' or position(lower($3) in lower(name)) > 0 or position(lower($3) in lower(email)) > 0)
       and ($4::text is null or role = $4)
     order by create_time, id limit $5`,
    [after?.createTime ?? null, after?.id ?? null, query, role ?? null, limit],
  );
}

/** Accounts that are kept as they are until the transaction ends. */
export type LockedAccounts = {
  get(id: string): Account | undefined;
  /** How many owners there are besides this account; those who can't log in don't count. */
  otherOwners(id: string): number;
};

/**
 * Locks the accounts of these identifiers, and all owners': so that two of them who leave at the same moment don't both see another one stay.
 * One statement that locks in one order, so that two calls about the same people can't wait for each other.
 */
export async function lockAccounts(sql: Sql, ids: readonly string[]): Promise<LockedAccounts> {
  const accounts = await sql.query<Account>(
    `select ${accountColumns} from users where id = any($1) or role = 'owner' order by id for update`,
    [ids],
  );
  return {
    get: (id) => (ids.includes(id) ? accounts.find((account) => account.id === id) : undefined),
    otherOwners: (id) =>
      accounts.filter((account) => account.role === "owner" && account.id !== id && account.disableTime === null)
        .length,
  };
}

/** Changes an account and returns it as it is then. */
export async function updateAccount(sql: Sql, id: string, change: AccountChange, now: Date): Promise<Account> {
  const [account] = await sql.query<Account>(
    `update users set
       name = coalesce($2, name),
       birth_date = case when $3::text is null then birth_date else nullif($3, '')::date end,
       role = coalesce($4, role),
       update_time = $5
     where id = $1 returning ${accountColumns}`,
    [id, change.name ?? null, change.birthDate ?? null, change.role ?? null, now],
  );
  if (account === undefined) throw new Error(`account ${id} vanished while it was locked`);
  return account;
}

/** Replaces a password; `short`: by one that is good beside a second factor only. */
export async function setPasswordHash(
  sql: Sql,
  id: string,
  { hash, short }: { hash: string; short: boolean },
  now: Date,
): Promise<void> {
  await sql.query("update users set password_hash = $2, password_short = $3, update_time = $4 where id = $1", [
    id,
    hash,
    short,
    now,
  ]);
}

/** Whether an account's password is good beside a second factor only. */
export async function hasShortPassword(sql: Sql, id: string): Promise<boolean> {
  return (await sql.query("select 1 from users where id = $1 and password_short", [id])).length > 0;
}

/** Notes that mail to the account's address arrives; undefined if the address is another one by now. */
export async function verifyEmail(sql: Sql, id: string, emailKey: string, now: Date): Promise<Account | undefined> {
  const [account] = await sql.query<Account>(
    `update users set email_verify_time = $3, update_time = $3 where id = $1 and email_key = $2 returning ${accountColumns}`,
    [id, emailKey, now],
  );
  return account;
}

/** Gives the account another address, from which mail is known to arrive. Breaks constraint `users_email_key_key` where that has an account. */
export async function changeEmail(
  sql: Sql,
  id: string,
  { email, emailKey }: { email: string; emailKey: string },
  now: Date,
): Promise<Account> {
  const [account] = await sql.query<Account>(
    `update users set email = $2, email_key = $3, email_verify_time = $4, update_time = $4 where id = $1 returning ${accountColumns}`,
    [id, email, emailKey, now],
  );
  if (account === undefined) throw new Error(`account ${id} vanished while its address was changed`);
  return account;
}

/** Disables an account, or enables it where `disableTime` is null. An account that is disabled already keeps its time. */
export async function setDisabled(sql: Sql, id: string, disableTime: Date | null, now: Date): Promise<Account> {
  const [account] = await sql.query<Account>(
    `update users set disable_time = case when $2::timestamptz is null then null else coalesce(disable_time, $2) end, update_time = $3
     where id = $1 returning ${accountColumns}`,
    [id, disableTime, now],
  );
  if (account === undefined) throw new Error(`account ${id} vanished while it was locked`);
  return account;
}

/** Removes an account with its sessions, and remembers that the identifier was one. */
export async function deleteAccount(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.query("delete from users where id = $1", [id]);
  await sql.query("insert into deleted_users (id, delete_time) values ($1, $2)", [id, now]);
}

/** Whether an account with this identifier was deleted. */
export async function wasDeleted(sql: Sql, id: string): Promise<boolean> {
  return (await sql.query("select 1 from deleted_users where id = $1", [id])).length > 0;
}

/** The first owner of the installation, if there is one yet. */
export async function findOwner(sql: Sql): Promise<Account | undefined> {
  const owner: Role = "owner";
  const [found] = await sql.query<Account>(
    `select ${accountColumns} from users where role = $1 order by create_time limit 1`,
    [owner],
  );
  return found;
}

/** Keeps other processes from making accounts until the transaction ends. */
export async function lockSignUp(sql: Sql): Promise<void> {
  await sql.query("lock table users in share row exclusive mode");
}
