import { AsyncLocalStorage } from "node:async_hooks";
import type { Trace } from "./trace.ts";

/** What code that runs on behalf of a call can find out about it without being told. */
export type CallScope = {
  readonly trace: Trace;
  /** When the call must have ended, on the clock of `performance.now()`. */
  deadline: number | undefined;
  /** The call is over: whatever it left running in the background is no longer bound by its deadline. */
  ended: boolean;
};

const storage = new AsyncLocalStorage<CallScope>();

/** Runs `action`, and all that it starts, on behalf of a call. */
export function runInCall<T>(scope: CallScope, action: () => T): T {
  return storage.run(scope, action);
}

/** Runs a function of one argument on behalf of a call: what `runInCall` does, without making a closure. */
export function applyInCall<A, T>(scope: CallScope, action: (a: A) => T, argument: A): T {
  return storage.run(scope, action, argument);
}

/** The trace of the call being handled, if there is one. */
export function currentTrace(): Trace | undefined {
  return storage.getStore()?.trace;
}

/** Milliseconds that the call being handled has left (0 or less: none); undefined without a call or without a deadline. */
export function remainingMs(): number | undefined {
  const scope = storage.getStore();
  if (scope === undefined || scope.ended || scope.deadline === undefined) {
    return undefined;
  }
  return scope.deadline - performance.now();
}
