import { type Caller, DomainError } from "@kinora/rpc";
import { findAccount } from "../account/account.store.ts";
import { manages } from "../policy.ts";
import { requireLive } from "../session/live-caller.ts";
import type { Sql } from "../store/store.ts";

type User = Extract<Caller, { kind: "user" }>;

/** Whether the caller is an administrator at this moment; a token may be ten minutes behind. */
export async function isAdministrator(sql: Sql, caller: User): Promise<boolean> {
  const account = await findAccount(sql, caller.userId);
  return account !== undefined && manages(account.role);
}

/** Throws unless the caller's login is still there, and an administrator's at this moment. */
export async function requireAdministrator(sql: Sql, caller: User, now: Date): Promise<void> {
  await requireLive(sql, caller, now);
  if (!(await isAdministrator(sql, caller))) {
    throw new DomainError("permission_denied", "only administrators and the owner can do this");
  }
}
