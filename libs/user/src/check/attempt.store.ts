import { accountColumns } from "../account/account.store.ts";
import type { Account } from "../account/account.ts";
import { addingEvent, eventValues } from "../audit/audit.store.ts";
import type { AuditEntry } from "../audit/audit.ts";
import { enrolledColumn } from "../factor/second-factors.store.ts";
import type { Sql } from "../store/store.ts";
import type { SecondFactor } from "./assurance.ts";
import { uncounting, withoutWaiting } from "./throttle.store.ts";

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
