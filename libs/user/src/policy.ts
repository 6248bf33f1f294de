import type { Caller, FaultReason } from "@kinora/rpc";
import type { Role } from "./account/account.ts";
import type { AccountChange } from "./account/update-mask.ts";

/** Why something is refused. */
export type Refusal = { reason: FaultReason; message: string };

/** Somebody's identity and role, as the database has it at this moment (a token may be ten minutes behind). */
export type Person = { id: string; role: Role };

/** May the installation's administrators and owner do what members can't. */
function manages(role: Role): boolean {
  return role === "admin" || role === "owner";
}

/** Whether the caller may see this user. */
export function canSee(caller: Caller, userId: string): boolean {
  if (caller.kind === "service") return true;
  return caller.kind === "user" && (caller.userId === userId || manages(caller.role));
}

/** Whether the caller may see everybody. */
export function canList(caller: Caller): boolean {
  return caller.kind === "service" || (caller.kind === "user" && manages(caller.role));
}

/** Whether an account may be made: by anybody where sign-up is open, otherwise by administrators and the owner. */
export function canCreate(signUp: "open" | "closed", actor: Person | undefined): boolean {
  return signUp === "open" || (actor !== undefined && manages(actor.role));
}

const hidden: Refusal = { reason: "not_found", message: "no such user" };

/** Why the actor may not make this change of the target; undefined if they may. */
export function refuseUpdate(actor: Person, target: Person, change: AccountChange): Refusal | undefined {
  const self = actor.id === target.id;
  if (!self && !manages(actor.role)) return hidden;
  if (!self && target.role === "owner") {
    return { reason: "permission_denied", message: "only the owner can change the owner's account" };
  }
  if (change.role === undefined || change.role === target.role) return undefined;
  if (!manages(actor.role)) {
    return { reason: "permission_denied", message: "only administrators and the owner can change a role" };
  }
  if (target.role === "owner" || change.role === "owner") {
    return { reason: "failed_precondition", message: "an installation has one owner, and the role can't be passed on" };
  }
  return undefined;
}

/** Why the actor may not delete the target; undefined if they may. */
export function refuseDelete(actor: Person, target: Person): Refusal | undefined {
  if (actor.id !== target.id && !manages(actor.role)) return hidden;
  if (target.role === "owner") {
    return { reason: "failed_precondition", message: "the owner of an installation can't be deleted" };
  }
  return undefined;
}
