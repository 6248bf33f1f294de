import { Access, Role } from "@kinora/proto-common";
import { statements as encoderStatements } from "@kinora/proto-encoder/statements";
import { statements as userStatements } from "@kinora/proto-user/statements";
import type { UserRole } from "@kinora/rpc";

/** Who can be given a scope. */
export type Holder = UserRole | "service" | "worker";

/** What every method of every service states about its callers. */
const statements = [...encoderStatements, ...userStatements].filter(({ scope }) => scope !== "");

const kinds: Readonly<Record<"people" | "service" | "worker", readonly Access[]>> = {
  people: [Access.USER, Access.USER_OR_SERVICE],
  service: [Access.SERVICE, Access.USER_OR_SERVICE],
  worker: [Access.WORKER],
};

/**
 * Every scope that such a holder can have, sorted. Which scopes there are follows from the contracts alone: a scope is what some method that the holder may call requires.
 */
export function scopesFor(holder: Holder): readonly string[] {
  let scopes = collected.get(holder);
  if (scopes === undefined) {
    scopes = collect(...holders[holder]);
    collected.set(holder, scopes);
  }
  return scopes;
}

const collected = new Map<Holder, readonly string[]>();

const holders: Readonly<Record<Holder, [kinds: readonly Access[], roles: readonly unknown[]]>> = {
  member: [kinds.people, [Role.UNSPECIFIED, Role.MEMBER]],
  admin: [kinds.people, [Role.UNSPECIFIED, Role.MEMBER, Role.ADMIN]],
  owner: [kinds.people, [Role.UNSPECIFIED, Role.MEMBER, Role.ADMIN, Role.OWNER]],
  service: [kinds.service, Object.values(Role)],
  worker: [kinds.worker, Object.values(Role)],
};

function collect(kinds: readonly number[], roles: readonly unknown[]): string[] {
  const found = statements.filter(({ access, role }) => kinds.includes(access) && roles.includes(role));
  return [...new Set(found.map(({ scope }) => scope))].sort();
}

/** The services that have methods which require one of the scopes, sorted: whom a token with them is for. */
export function audiencesOf(scopes: readonly string[]): string[] {
  return [...new Set(statements.filter(({ scope }) => scopes.includes(scope)).map(({ audience }) => audience))].sort();
}
