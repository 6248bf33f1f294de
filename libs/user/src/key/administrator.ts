import { type Caller, DomainError } from "@kinora/rpc";
import { findAccount } from "../account/account.store.ts";
import { manages } from "../policy.ts";
import { requireLive } from "../session/live-caller.ts";
import type { Sql } from "../store/store.ts";
import type { ServiceAccountKind } from "./service-account.ts";

type User = Extract<Caller, { kind: "user" }>;

/** Whether the caller is an administrator at this moment; a token may be ten minutes behind. */
export async function isAdministrator(sql: Sql, caller: User): Promise<boolean> {
  const account = await findAccount(sql, caller.userId);
  return account !== undefined && manages(account.role);
}

/**
 * Throws unless the caller may make and arm an account of this kind. Services and workers reach everybody's videos and quota, so whoever makes one, or a key of one, has to be above everybody: an
 * administrator isn't above owners.
 */
export async function requireAbove(sql: Sql, caller: User, kind: ServiceAccountKind): Promise<void> {
  if (kind === "program") return;
  const account = await findAccount(sql, caller.userId);
  if (account?.role === "owner") return;
  throw new DomainError(
    "permission_denied",
    `only an owner can make a ${kind}'s account or key: it reaches everybody's videos`,
  );
}

/** Throws unless the caller's login is still there, and an administrator's at this moment. */
export async function requireAdministrator(sql: Sql, caller: User, now: Date): Promise<void> {
  await requireLive(sql, caller, now);
  if (!(await isAdministrator(sql, caller))) {
    throw new DomainError("permission_denied", "only administrators and the owner can do this");
  }
}
