import type { Sql } from "../store/store.ts";
import type { Account, Role } from "./account.ts";
import type { PagePosition } from "./page-token.ts";
import type { AccountChange } from "./update-mask.ts";

const columns = `id, email, name, coalesce(to_char(birth_date, 'YYYY-MM-DD'), '') as "birthDate", role,
  create_time as "createTime", update_time as "updateTime"`;

/** What a new account is made of. */
export type NewAccount = Account & { emailKey: string; passwordHash: string };

/** Adds an account. Breaks constraint `users_email_key_key` where the address has one. */
export async function insertAccount(sql: Sql, account: NewAccount): Promise<void> {
  await sql.query(
    `insert into users (id, email, email_key, name, birth_date, password_hash, role, create_time, update_time)
     values ($1, $2, $3, $4, nullif($5, '')::date, $6, $7, $8, $9)`,
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
    ],
  );
}

export async function findAccount(sql: Sql, id: string): Promise<Account | undefined> {
  const [account] = await sql.query<Account>(`select ${columns} from users where id = $1`, [id]);
  return account;
}

/** The account and its password's hash, for a login. */
export async function findCredential(
  sql: Sql,
  emailKey: string,
): Promise<(Account & { passwordHash: string }) | undefined> {
  const [found] = await sql.query<Account & { passwordHash: string }>(
    `select ${columns}, password_hash as "passwordHash" from users where email_key = $1`,
    [emailKey],
  );
  return found;
}

/** Accounts after a position, oldest first. */
export async function listAccounts(sql: Sql, after: PagePosition | undefined, limit: number): Promise<Account[]> {
  return after === undefined
    ? await sql.query<Account>(`select ${columns} from users order by create_time, id limit $1`, [limit])
    : await sql.query<Account>(
        `select ${columns} from users where (create_time, id) > ($1, $2) order by create_time, id limit $3`,
        [after.createTime, after.id, limit],
      );
}

/**
 * The accounts of these identifiers, kept as they are until the transaction ends.
 * One statement that locks in one order, so that two calls about the same two people can't wait for each other.
 */
export async function lockAccounts(sql: Sql, ids: readonly string[]): Promise<Map<string, Account>> {
  const accounts = await sql.query<Account>(`select ${columns} from users where id = any($1) order by id for update`, [
    ids,
  ]);
  return new Map(accounts.map((account) => [account.id, account]));
}

/** Changes an account and returns it as it is then. */
export async function updateAccount(sql: Sql, id: string, change: AccountChange, now: Date): Promise<Account> {
  const [account] = await sql.query<Account>(
    `update users set
       name = coalesce($2, name),
       birth_date = case when $3::text is null then birth_date else nullif($3, '')::date end,
       role = coalesce($4, role),
       update_time = $5
     where id = $1 returning ${columns}`,
    [id, change.name ?? null, change.birthDate ?? null, change.role ?? null, now],
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

/** The owner of the installation, if there is one yet. */
export async function findOwner(sql: Sql): Promise<Account | undefined> {
  const owner: Role = "owner";
  const [found] = await sql.query<Account>(`select ${columns} from users where role = $1`, [owner]);
  return found;
}

/** Keeps other processes from making accounts until the transaction ends. */
export async function lockSignUp(sql: Sql): Promise<void> {
  await sql.query("lock table users in share row exclusive mode");
}
