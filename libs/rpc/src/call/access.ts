import type { DescMethod } from "@bufbuild/protobuf";
import { Access, Role, type Statement, statementOf } from "@kinora/proto-common";
import { type Caller, type Granted, permits, type UserRole } from "../caller.ts";
import { DomainError } from "../domain-error.ts";

// Contracts that others named: they can't carry our option, and everybody may ask them.
const openServices = /^grpc\.(health|reflection)\./;

/** Says who may call a method whose contract doesn't. */
export type AccessOf = (method: DescMethod) => Access | undefined;

/** Who may call a method. */
export type AccessRule = {
  readonly access: Access;
  /** The scope that is needed; undefined for public methods and those of contracts that others wrote. */
  readonly scope: string | undefined;
  /** The service that a credential must be for: the first part of the contract's package. */
  readonly audience: string;
  /** The least role that a person needs. */
  readonly role: UserRole;
};

const roles: Readonly<Record<Role, UserRole>> = {
  [Role.UNSPECIFIED]: "member",
  [Role.MEMBER]: "member",
  [Role.ADMIN]: "admin",
  [Role.OWNER]: "owner",
};

/** `videos:read` */
const scopeForm = /^[a-z][a-z_]*:[a-z][a-z_]*$/;

/**
 * Who may call a method, as its contract states or else as `accessOf` says; throws where neither does, and where what the contract states isn't complete. The build
 * asks the same of each contract (`tools/workspace/src/contracts/access.ts`).
 */
export function accessRule(method: DescMethod, accessOf?: AccessOf): AccessRule {
  const audience = audienceOf(method);
  if (openServices.test(method.parent.typeName)) {
    return { access: Access.PUBLIC, scope: undefined, audience, role: "member" };
  }
  const statement = statementOf(method);
  if (statement.access === undefined) {
    const told = accessOf?.(method) ?? Access.UNSPECIFIED;
    if (told !== Access.PUBLIC && kinds[told] === undefined) {
      throw new Error(
        `${nameOf(method)} doesn't state who may call it: add "option (kinora.access.v1.access) = …;" to it in ${method.parent.file.name}.proto`,
      );
    }
    return { access: told, scope: undefined, audience, role: "member" };
  }
  const fault = statementFault(method, statement);
  if (fault !== undefined) {
    throw new Error(`${nameOf(method)} ${fault}, in ${method.parent.file.name}.proto`);
  }
  const { access, scope, role } = statement;
  return { access, scope: scope || undefined, audience, role: roles[role] ?? "owner" };
}

/** What is wrong with what a method states about its callers; undefined if nothing is. */
function statementFault(method: DescMethod, { access, scope, role, resource }: Statement): string | undefined {
  if (access === Access.PUBLIC) {
    return scope === "" && role === Role.UNSPECIFIED && resource === ""
      ? undefined
      : "is for everybody, and yet requires something";
  }
  if (access === undefined || kinds[access] === undefined) {
    return 'doesn\'t state who may call it: add "option (kinora.access.v1.access) = …;"';
  }
  if (!scopeForm.test(scope)) {
    return 'doesn\'t state a scope such as videos:read: add "option (kinora.access.v1.requires).scope = …;"';
  }
  const [first = ""] = resource.split(".");
  if (resource !== "" && !method.input.fields.some(({ name }) => name === first)) {
    return `names the resource ${resource}, which isn't a field of its request`;
  }
  return undefined;
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}

function audienceOf(method: DescMethod): string {
  return method.parent.typeName.split(".", 1)[0] ?? "";
}

const kinds: Record<number, { accepts: readonly Caller["kind"][]; needs: string }> = {
  [Access.USER]: { accepts: ["user"], needs: "a user's access token" },
  [Access.SERVICE]: { accepts: ["service"], needs: "a service credential" },
  [Access.WORKER]: { accepts: ["worker"], needs: "a worker credential" },
  [Access.USER_OR_SERVICE]: { accepts: ["user", "service"], needs: "a user's access token or a service credential" },
};

/** Throws `unauthenticated` for nobody and for credentials that are for another service; `permission_denied` for the wrong kind of caller, and for want of a scope or role. */
export function checkAccess(rule: AccessRule, caller: Caller): void {
  if (rule.access === Access.PUBLIC) {
    return;
  }
  const kind = kinds[rule.access];
  const needs = kind?.needs ?? "a credential that doesn't exist";
  if (caller.kind === "anonymous") {
    throw new DomainError("unauthenticated", `this call needs ${needs} (header Authorization: Bearer …)`);
  }
  if (!kind?.accepts.includes(caller.kind)) {
    throw new DomainError("permission_denied", `this call needs ${needs}; a ${caller.kind} credential came with it`);
  }
  checkGrant({ audience: rule.audience }, caller);
  // Before the scope, which whoever lacks the role can't have: people are told what they can do about it.
  if (caller.kind === "user" && ranks[caller.role] < ranks[rule.role]) {
    throw new DomainError("permission_denied", denials[rule.role]);
  }
  checkGrant(rule, caller);
}

const ranks: Readonly<Record<UserRole, number>> = { member: 0, admin: 1, owner: 2 };
const denials: Readonly<Record<UserRole, string>> = {
  member: "only people with an account can do this",
  admin: "only administrators and the owner can do this",
  owner: "only the owner can do this",
};

/**
 * Throws unless the credential is for this service and has this scope. The gate does it for every call; routes beside the RPCs do it themselves.
 */
export function checkGrant(needed: { audience: string; scope?: string | undefined }, granted: Granted): void {
  if (!permits(granted.audiences, needed.audience)) {
    throw new DomainError("unauthenticated", `this access token isn't for the ${needed.audience} service`);
  }
  if (needed.scope !== undefined && !permits(granted.scopes, needed.scope)) {
    throw new DomainError(
      "permission_denied",
      `this needs the scope ${needed.scope}, which the credential doesn't have`,
    );
  }
}
