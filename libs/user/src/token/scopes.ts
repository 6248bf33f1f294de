import { type DescService, getOption } from "@bufbuild/protobuf";
import { Access, access, Role, requires } from "@kinora/proto-common";
import * as encoderContract from "@kinora/proto-encoder";
import * as userContract from "@kinora/proto-user";
import type { UserRole } from "@kinora/rpc";

/** Who can be given a scope. */
export type Holder = UserRole | "service" | "worker";

type Statement = { audience: string; scope: string; access: Access; role: Role };

const services: DescService[] = [encoderContract, userContract].flatMap((contract) =>
  Object.values<unknown>(contract).filter(isService),
);

/** What every method of every service states about its callers. */
const statements: Statement[] = services
  .flatMap(({ methods }) => methods)
  .map((method) => {
    const { scope, role } = getOption(method, requires);
    return { scope, role, access: getOption(method, access), audience: method.parent.typeName.split(".", 1)[0] ?? "" };
  })
  .filter(({ scope }) => scope !== "");

const kinds: Readonly<Record<"people" | "service" | "worker", readonly Access[]>> = {
  people: [Access.USER, Access.USER_OR_SERVICE],
  service: [Access.SERVICE, Access.USER_OR_SERVICE],
  worker: [Access.WORKER],
};

/**
 * Every scope that such a holder can have, sorted. Which scopes there are follows from the contracts alone: a scope is what some method that the holder may call requires.
 */
export function scopesFor(holder: Holder): readonly string[] {
  return scopes[holder];
}

const scopes: Readonly<Record<Holder, readonly string[]>> = {
  member: collect(kinds.people, [Role.UNSPECIFIED, Role.MEMBER]),
  admin: collect(kinds.people, [Role.UNSPECIFIED, Role.MEMBER, Role.ADMIN]),
  owner: collect(kinds.people, [Role.UNSPECIFIED, Role.MEMBER, Role.ADMIN, Role.OWNER]),
  service: collect(kinds.service, Object.values(Role)),
  worker: collect(kinds.worker, Object.values(Role)),
};

function collect(kinds: readonly Access[], roles: readonly unknown[]): string[] {
  const found = statements.filter(({ access, role }) => kinds.includes(access) && roles.includes(role));
  return [...new Set(found.map(({ scope }) => scope))].sort();
}

/** The services that have methods which require one of the scopes, sorted: whom a token with them is for. */
export function audiencesOf(scopes: readonly string[]): string[] {
  return [...new Set(statements.filter(({ scope }) => scopes.includes(scope)).map(({ audience }) => audience))].sort();
}

function isService(exported: unknown): exported is DescService {
  return typeof exported === "object" && exported !== null && "kind" in exported && exported.kind === "service";
}
