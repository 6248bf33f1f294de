import { accountColumns, type Credential } from "../account/account.store.ts";
import type { Account } from "../account/account.ts";
import { addingEvent, eventValues } from "../audit/audit.store.ts";
import type { AuditEntry } from "../audit/audit.ts";
import { enrolledColumn } from "../factor/second-factors.store.ts";
import type { Sql } from "../store/store.ts";
import type { SecondFactor } from "./assurance.ts";
import {
  type Counted,
  type CountedRow,
  type Counter,
  counting,
  countingValues,
  judgeCount,
  uncounting,
  withoutWaiting,
} from "./throttle.store.ts";

/** What a login at an address finds there, and the counts that it was added to. */
export type CountedLogin = { credential: Credential | undefined; counters: Counter[]; counted: Counted };

/**
 * Finds the account of an address with its password's hash, and counts an attempt at it. Where it is at home at `clientAddress` (has a living session that began there), `throttled.account` isn't counted. One statement, as every
 * login comes by here; it looks as long for an account that isn't there.
 */
export async function countLogin(
  sql: Sql,
  at: { emailKey: string; clientAddress: string },
  throttled: { account: Counter; others: readonly Counter[] },
  now: Date,
): Promise<CountedLogin> {
  const all = [throttled.account, ...throttled.others];
  const rows = await sql.query<Credential & CountedRow & { id: string | null; atHome: boolean; setting: string }>(
    `with account as (
       select ${accountColumns}, password_hash as "passwordHash",
         exists (select from sessions where user_id = coalesce(users.id, gen_random_uuid())
           and client_address = $6 and idle_expire_time > $4) as "atHome"
       from (select) as one left join users on email_key = $5
     ), ${counting(`given.key <> $7 or not (select "atHome" from account)`)}
     select account.*, counted.key, refused.until, ${withoutWaiting} as setting
     from account, refused left join counted on true`,
    [...countingValues(all, now), at.emailKey, at.clientAddress, throttled.account.key],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("a statement that always has a row has none");
  const { atHome, key: _key, until: _until, setting: _setting, ...credential } = row;
  const counters = atHome ? [...throttled.others] : all;
  const counted = await judgeCount(sql, counters, rows, now);
  return { credential: credential.id === null ? undefined : credential, counters, counted };
}

/**
 * Takes a right attempt back and notes it. Answers the account as it is now, with its second factors, and undefined if it is gone. One statement, as every login comes
 * by here; its commit needn't wait for the disk, because no answer leaves before a later one has. Not for use in a transaction.
 */
export async function passAttempt(
  sql: Sql,
  keys: readonly string[],
  event: AuditEntry & { userId: string },
): Promise<{ account: Account; enrolled: SecondFactor[] } | undefined> {
  const [found] = await sql.query<Account & { enrolled: SecondFactor[]; setting: string }>(
    `with taken as (${uncounting("$1")}), noted as (${addingEvent(2)})
     select ${accountColumns}, ${enrolledColumn}, ${withoutWaiting} as setting from users where id = $4`,
    [keys, ...eventValues(event)],
  );
  if (found === undefined) return undefined;
  const { enrolled, setting: _, ...account } = found;
  return { account, enrolled };
}
