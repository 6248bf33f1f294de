import { type Code, type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { CallScope } from "./call-scope.ts";

/** What the parts of one call's way tell each other; it ends as a line of the access log. */
export type CallRecord = {
  readonly scope: CallScope;
  /** Aborts when the server starts to close. */
  readonly drain: AbortSignal;
  /** Unknown until the gate has seen the call. */
  protocol: string;
  /** Kind of the caller, once the gate knows it. */
  caller: string;
  /** How the call ended, once that is decided; `undefined` where Connect itself refused it. */
  outcome: Code | "ok" | undefined;
};

/** Where a call's record travels. */
export const callRecordKey: ContextKey<CallRecord | undefined> = createContextKey<CallRecord | undefined>(undefined, {
  description: "call record",
});

const never = new AbortController().signal;

/**
 * Aborts when the server starts to close. Handlers that wait for something (a long poll) return what they have then; streams needn't look:
 * their own signal aborts as well.
 */
export function drainSignal(context: Pick<HandlerContext, "values">): AbortSignal {
  return context.values.get(callRecordKey)?.drain ?? never;
}
