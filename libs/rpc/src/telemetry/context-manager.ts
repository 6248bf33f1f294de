import { type Context, type ContextManager, ROOT_CONTEXT } from "@opentelemetry/api";
import { currentContext, runInContext } from "../call/call-scope.ts";

/**
 * OpenTelemetry's active context, kept where calls keep their own scope: one `AsyncLocalStorage` for both, so that a call pays for one. Listeners
 * of an EventEmitter run in the context of whoever emits; `bind` is for functions.
 */
export function createContextManager(): ContextManager {
  const manager: ContextManager = {
    active: () => currentContext() ?? ROOT_CONTEXT,
    with(context, fn, thisArg, ...args) {
      return runInContext(context, () => fn.call(thisArg, ...args));
    },
    bind: (context, target) => (isFunction(target) ? Object.assign(bind(context, target), target) : target),
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

function isFunction(target: unknown): target is (...args: unknown[]) => unknown {
  return typeof target === "function";
}

function bind(context: Context, target: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return function (this: unknown, ...args) {
    return runInContext(context, () => target.apply(this, args));
  };
}
