import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Role as RoleMessage, type User, UserSchema } from "@kinora/proto-user";
import type { Account, Role } from "./account.ts";

const roles: Record<Role, RoleMessage> = {
  member: RoleMessage.MEMBER,
  admin: RoleMessage.ADMIN,
  owner: RoleMessage.OWNER,
};

/** The role as the contract has it. */
export function toRoleMessage(role: Role): RoleMessage {
  return roles[role];
}

/** The role that the contract names; undefined where none is set. */
export function fromRoleMessage(message: RoleMessage): Role | undefined {
  return (Object.keys(roles) as Role[]).find((role) => roles[role] === message);
}

/** The account as the contract shows it. */
export function toUserMessage(account: Account): User {
  return create(UserSchema, {
    id: account.id,
    email: account.email,
    name: account.name,
    birthDate: account.birthDate,
    role: roles[account.role],
    createTime: timestampFromDate(account.createTime),
    updateTime: timestampFromDate(account.updateTime),
    emailVerified: account.emailVerifyTime !== null,
    ...(account.disableTime !== null && { disableTime: timestampFromDate(account.disableTime) }),
  });
}
