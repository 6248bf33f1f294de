import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import type { Trace } from "./trace.ts";

/** What code that runs on behalf of a call can find out about it without being told. */
export type CallScope = {
  readonly trace: Trace;
  /** When the call must have ended, on the clock of `performance.now()`. */
  deadline: number | undefined;
  /** The call is over: whatever it left running in the background is no longer bound by its deadline. */
  ended: boolean;
  /** OpenTelemetry's context of the call, where it is traced. */
  readonly context?: Context | undefined;
  /** Makes that the active context of `action`, where OpenTelemetry keeps it elsewhere. */
  readonly enter?: (<T>(action: () => T) => T) | undefined;
};

/** A context that code has made active by itself, within a call or without one. */
class ContextFrame {
  readonly context: Context;
  readonly call: CallScope | undefined;

  constructor(context: Context, call: CallScope | undefined) {
    this.context = context;
    this.call = call;
  }
}

const storage = new AsyncLocalStorage<CallScope | ContextFrame>();

/** Runs `action`, and all that it starts, on behalf of a call. */
export function runInCall<T>(scope: CallScope, action: () => T): T {
  const { enter } = scope;
  return enter === undefined ? storage.run(scope, action) : storage.run(scope, enter, action);
}

/** Runs a function of one argument on behalf of a call: what `runInCall` does, without making a closure. */
export function applyInCall<A, T>(scope: CallScope, action: (a: A) => T, argument: A): T {
  return scope.enter === undefined ? storage.run(scope, action, argument) : runInCall(scope, () => action(argument));
}

/** The call on whose behalf this runs. */
function currentCall(): CallScope | undefined {
  const store = storage.getStore();
  return store instanceof ContextFrame ? store.call : store;
}

/** The trace of the call being handled, if there is one. */
export function currentTrace(): Trace | undefined {
  return currentCall()?.trace;
}

/** OpenTelemetry's active context, as far as it is kept here. */
export function currentContext(): Context | undefined {
  return storage.getStore()?.context;
}

/** Runs `action`, and all that it starts, with another active context, and on behalf of the same call. */
export function runInContext<T>(context: Context, action: () => T): T {
  return storage.run(new ContextFrame(context, currentCall()), action);
}

/** Milliseconds that the call being handled has left (0 or less: none); undefined without a call or without a deadline. */
export function remainingMs(): number | undefined {
  const scope = currentCall();
  if (scope === undefined || scope.ended || scope.deadline === undefined) {
    return undefined;
  }
  return scope.deadline - performance.now();
}
