import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { Access, access } from "@kinora/proto-common";
import type { Caller } from "../caller.ts";
import { DomainError } from "../domain-error.ts";

// Contracts that others named: they can't carry our option, and everybody may ask them.
const openServices = /^grpc\.(health|reflection)\./;

/** Says who may call a method whose contract doesn't. */
export type AccessOf = (method: DescMethod) => Access | undefined;

/** Who may call a method, as its contract states or else as `accessOf` says; throws where neither does. */
export function accessRule(method: DescMethod, accessOf?: AccessOf): Access {
  if (openServices.test(method.parent.typeName)) {
    return Access.PUBLIC;
  }
  const rule = hasOption(method, access) ? getOption(method, access) : (accessOf?.(method) ?? Access.UNSPECIFIED);
  if (rule !== Access.PUBLIC && kinds[rule] === undefined) {
    throw new Error(
      `${method.parent.typeName}.${method.name} doesn't state who may call it: add "option (kinora.access.v1.access) = …;" to it in ${method.parent.file.name}.proto`,
    );
  }
  return rule;
}

const kinds: Record<number, { accepts: readonly Caller["kind"][]; needs: string }> = {
  [Access.USER]: { accepts: ["user"], needs: "a user's access token" },
  [Access.SERVICE]: { accepts: ["service"], needs: "a service credential" },
  [Access.WORKER]: { accepts: ["worker"], needs: "a worker credential" },
  [Access.USER_OR_SERVICE]: { accepts: ["user", "service"], needs: "a user's access token or a service credential" },
};

/** Throws `unauthenticated` for nobody and `permission_denied` for the wrong kind of caller. */
export function checkAccess(rule: Access, caller: Caller): void {
  const kind = kinds[rule];
  if (rule === Access.PUBLIC || kind?.accepts.includes(caller.kind)) {
    return;
  }
  const needs = kind?.needs ?? "a credential that doesn't exist";
  if (caller.kind === "anonymous") {
    throw new DomainError("unauthenticated", `this call needs ${needs} (header Authorization: Bearer …)`);
  }
  throw new DomainError("permission_denied", `this call needs ${needs}; a ${caller.kind} credential came with it`);
}
