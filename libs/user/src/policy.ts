import { type Caller, type FaultReason, permits } from "@kinora/rpc";
import type { Role } from "./account/account.ts";
import type { AccountChange } from "./account/update-mask.ts";

/** Why something is refused. */
export type Refusal = { reason: FaultReason; message: string };

/** Who may make an account: everybody, whoever was invited, or administrators only. */
export type SignUp = "open" | "invitation" | "closed";

/** Somebody's identity and role, as the database has it at this moment (a token may be ten minutes behind). */
export type Person = { id: string; role: Role };

/** Whether the role may do what members can't. */
export function manages(role: Role): boolean {
  return role === "admin" || role === "owner";
}

/** Whether the caller may see this user: others need a credential that is for others (`users:read`). */
export function canSee(caller: Caller, userId: string): boolean {
  if (caller.kind === "service") return true;
  if (caller.kind !== "user") return false;
  return caller.userId === userId || (manages(caller.role) && permits(caller.scopes, "users:read"));
}

/** Whether the caller may see everybody. */
export function canList(caller: Caller): boolean {
  return caller.kind === "service" || (caller.kind === "user" && manages(caller.role));
}

/** Whether an account may be made: by anybody where sign-up is open, otherwise by administrators and the owner. */
export function canCreate(signUp: SignUp, actor: Person | undefined): boolean {
  return signUp === "open" || (actor !== undefined && manages(actor.role));
}

const hidden: Refusal = { reason: "not_found", message: "no such user" };
const ranks: Record<Role, number> = { member: 0, admin: 1, owner: 2 };
const lastOwner: Refusal = {
  reason: "failed_precondition",
  message: "this is the last owner of the installation; make somebody else an owner first",
};

/** Whether the actor may manage the target's account: owners everybody's, administrators those below them. */
function isAbove(actor: Person, target: Person): boolean {
  return actor.role === "owner" || ranks[actor.role] > ranks[target.role];
}

/** Why the actor may not act on the target's account; undefined if they may. */
function refuseToAct(actor: Person, target: Person): Refusal | undefined {
  if (!manages(actor.role)) return hidden;
  if (isAbove(actor, target)) return undefined;
  return {
    reason: "permission_denied",
    message: "only an owner can change the account of an administrator or an owner",
  };
}

/** Whether the actor may give this role to somebody: owners any, administrators the ones below theirs. */
export function canGrant(actor: Person, role: Role): boolean {
  return actor.role === "owner" || ranks[actor.role] > ranks[role];
}

/** Why the actor may not make this change of the target; undefined if they may. `otherOwners` counts the owners besides the target. */
export function refuseUpdate(
  actor: Person,
  target: Person,
  change: AccountChange,
  otherOwners: number,
): Refusal | undefined {
  const self = actor.id === target.id;
  const refusal = self ? undefined : refuseToAct(actor, target);
  if (refusal !== undefined || change.role === undefined || change.role === target.role) return refusal;
  // Stepping down is for everybody to decide.
  if (!canGrant(actor, change.role) && !(self && ranks[change.role] < ranks[target.role])) {
    return { reason: "permission_denied", message: "you can only give roles below your own; ask an owner" };
  }
  return target.role === "owner" && otherOwners === 0 ? lastOwner : undefined;
}

/** Why the actor may not delete the target; undefined if they may. */
export function refuseDelete(actor: Person, target: Person, otherOwners: number): Refusal | undefined {
  const refusal = actor.id === target.id ? undefined : refuseToAct(actor, target);
  return refusal ?? (target.role === "owner" && otherOwners === 0 ? lastOwner : undefined);
}

/** Why the actor may not change the target's limits; undefined if they may. Nobody but an owner changes their own. */
export function refuseLimits(actor: Person, target: Person): Refusal | undefined {
  return refuseToAct(actor, target);
}

/** Why the actor may not disable or enable the target; undefined if they may. */
export function refuseDisable(actor: Person, target: Person): Refusal | undefined {
  if (actor.id !== target.id) return refuseToAct(actor, target);
  return { reason: "failed_precondition", message: "you can't disable your own account" };
}
