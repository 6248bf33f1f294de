import type { User } from "@kinora/proto-user";
import type { FieldViolation } from "@kinora/rpc";
import { invalidFields } from "../fault.ts";
import type { Role } from "./account.ts";
import { fromRoleMessage } from "./account-message.ts";
import { birthDateFault } from "./birth-date.ts";
import { displayNameFault, normalizeDisplayName } from "./display-name.ts";

/** The new values of an account; what isn't there stays. */
export type AccountChange = { name?: string; birthDate?: string; role?: Role };

const changeable = ["name", "birth_date", "role"];

/**
 * Reads the fields that a field mask names out of `user`; the others are not looked at.
 * Throws `invalid` with every violation: an unknown or empty mask, or a value that breaks its field's rule.
 */
export function readAccountChange(user: User, paths: readonly string[], today: Date): AccountChange {
  const change: AccountChange = {};
  const violations: FieldViolation[] = [];
  const check = (field: string, fault: string | undefined) => {
    if (fault !== undefined) violations.push({ field, message: fault });
  };
  if (paths.length === 0) check("update_mask.paths", `must name at least one of ${changeable.join(", ")}`);
  // A mask that repeats a path says no more than the path once; the set also bounds the work.
  for (const path of new Set(paths)) {
    if (path === "name") {
      change.name = normalizeDisplayName(user.name);
      check("user.name", displayNameFault(change.name));
    } else if (path === "birth_date") {
      change.birthDate = user.birthDate;
      if (user.birthDate !== "") check("user.birth_date", birthDateFault(user.birthDate, today));
    } else if (path === "role") {
      const role = fromRoleMessage(user.role);
      if (role === undefined) check("user.role", "must be ROLE_MEMBER, ROLE_ADMIN or ROLE_OWNER");
      else change.role = role;
    } else {
      check(`update_mask.paths[${paths.indexOf(path)}]`, `must be one of ${changeable.join(", ")}`);
    }
    if (violations.length >= 10) break;
  }
  if (violations.length > 0) throw invalidFields(violations);
  return change;
}
