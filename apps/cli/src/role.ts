import { Role } from "@kinora/proto-user";
import { UsageError } from "./errors.ts";

const names: Record<number, string> = {
  [Role.UNSPECIFIED]: "none",
  [Role.MEMBER]: "member",
  [Role.ADMIN]: "administrator",
  [Role.OWNER]: "owner",
};

/** A role for people to read. */
export function roleName(role: Role): string {
  return names[role] ?? "unknown";
}

/** A role as people type it. */
export function readRole(text: string): Role {
  const role = { member: Role.MEMBER, admin: Role.ADMIN, administrator: Role.ADMIN, owner: Role.OWNER }[text];
  if (role === undefined) throw new UsageError(`"${text}" is no role: it is member, admin or owner.`);
  return role;
}
