import { type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { DomainError } from "./domain-error.ts";

/** Who makes a call. */
export type Caller =
  | { kind: "anonymous" }
  | { kind: "user"; userId: string; role: "member" | "admin" | "owner"; sessionId: string }
  | { kind: "service" }
  | { kind: "worker" };

/** What may be given up before it is done. `signal` is made when it is asked for, which costs more than much of what a call does: ask only if you wait for something. */
export type Interruptible = { readonly signal: AbortSignal };

/**
 * Turns an Authorization header into a caller, at once if it can. No header stands for an anonymous caller; a credential that isn't good
 * throws a DomainError `unauthenticated`.
 */
export type Authenticate = (authorization: string | undefined, context?: Interruptible) => Caller | Promise<Caller>;

/** Where the gate leaves the caller, before the request's body is read. */
export const callerKey: ContextKey<Caller> = createContextKey<Caller>({ kind: "anonymous" }, { description: "caller" });

/** Who makes this call. */
export function callerOf(context: Pick<HandlerContext, "values">): Caller {
  return context.values.get(callerKey);
}

/** The person who makes this call; throws `unauthenticated` or `permission_denied` where it isn't a person. */
export function requireUser(context: Pick<HandlerContext, "values">): Extract<Caller, { kind: "user" }> {
  const caller = callerOf(context);
  if (caller.kind === "user") {
    return caller;
  }
  if (caller.kind === "anonymous") {
    throw new DomainError("unauthenticated", "log in first: this needs an access token");
  }
  throw new DomainError(
    "permission_denied",
    `a ${caller.kind} credential can't do this; it needs a user's access token`,
  );
}
