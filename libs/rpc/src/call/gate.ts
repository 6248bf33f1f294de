import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type HandlerContext } from "@connectrpc/connect";
import { Access } from "@kinora/proto-common";
import { type Authenticate, type Caller, callerKey } from "../caller.ts";
import { checkAccess } from "./access.ts";
import { callRecordKey } from "./call-record.ts";
import type { ErrorMapper } from "./error-mapper.ts";

/** What the gate needs. */
export type GateDeps = {
  authenticate: Authenticate;
  /** Who may call each method. */
  rules: ReadonlyMap<DescMethod, Access>;
  mapError: ErrorMapper;
};

/**
 * Decides about a call once its headers are here and before its body is read: who calls, and whether they may. Connect calls it as `requestGate`.
 */
export function createGate(deps: GateDeps): (context: HandlerContext) => Promise<void> {
  return async (context) => {
    const record = context.values.get(callRecordKey);
    const remaining = context.timeoutMs();
    if (record !== undefined) {
      record.protocol ||= context.protocolName;
      record.scope.deadline = remaining === undefined ? undefined : performance.now() + remaining;
    }
    try {
      const rule = deps.rules.get(context.method) ?? Access.UNSPECIFIED;
      const caller = await identify(deps.authenticate, rule, context);
      context.values.set(callerKey, caller);
      if (record !== undefined) {
        record.caller = caller.kind;
      }
      checkAccess(rule, caller);
    } catch (fault) {
      const error = deps.mapError(fault, context.method, context.values, context.signal);
      if (error.code === Code.Unauthenticated) {
        error.metadata.set("www-authenticate", "Bearer");
      }
      throw error;
    }
  };
}

async function identify(authenticate: Authenticate, rule: Access, context: HandlerContext): Promise<Caller> {
  const authorization = context.requestHeader.get("authorization") ?? undefined;
  if (rule !== Access.PUBLIC) {
    return authenticate(authorization, context.signal);
  }
  // Whoever asks for a new token may well send the old one along: on a public method a bad credential makes a nobody of them.
  return authenticate(authorization, context.signal).catch(() => ({ kind: "anonymous" }));
}
