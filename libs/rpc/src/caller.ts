import { type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { DomainError } from "./domain-error.ts";

/** What a person may do beyond using what is theirs. */
export type UserRole = "member" | "admin" | "owner";

/** Some of a kind, or all that there are. */
export type Some = ReadonlySet<string> | "all";

/** Whether `one` is among them. */
export function permits(some: Some, one: string): boolean {
  return some === "all" || some.has(one);
}

/** What a credential may be used for. */
export type Granted = {
  /** What may be done with it: `videos:read`. */
  readonly scopes: Some;
  /** The services that it may be shown to, by the first part of their contract's package: `encoder`. */
  readonly audiences: Some;
};

/** Who makes a call. A user is a person, or a program with a service account; `sessionId` isn't set where the access token comes from an API key. */
export type Caller =
  | { readonly kind: "anonymous" }
  | (Granted & {
      readonly kind: "user";
      readonly userId: string;
      readonly role: UserRole;
      readonly sessionId: string | undefined;
      /** The API key that the access token was exchanged for. */
      readonly keyId?: string | undefined;
    })
  | (Granted & {
      readonly kind: "service" | "worker";
      /** The service account; `built-in` for the credential that all services or workers share. */
      readonly id: string;
      /** The API key that the access token was exchanged for; not set for the user service's own tokens and for shared credentials. */
      readonly keyId?: string | undefined;
    });

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
