import { type Context, context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { currentContext, currentTrace } from "../call/call-scope.ts";
import { contextWithSpan } from "./span-context.ts";

/** Whether a context manager is registered that keeps the active context elsewhere than with the calls, as ours does. */
export function contextsAreElsewhere(): boolean {
  const probe = context.active().setValue(Symbol("probe"), true);
  return context.with(probe, () => context.active() === probe && currentContext() !== probe);
}

/** The active context. Where nothing has made one: that of the call that is handled, or of the caller's trace in which a plain HTTP route runs. */
export function activeContext(): Context {
  const active = context.active();
  if (active !== ROOT_CONTEXT) {
    return active;
  }
  const ofCall = currentContext();
  if (ofCall !== undefined) {
    return ofCall;
  }
  const plain = currentTrace();
  if (plain?.parentId === undefined) {
    return active;
  }
  const { traceId, spanId, flags } = plain;
  return contextWithSpan(active, trace.wrapSpanContext({ traceId, spanId, traceFlags: Number.parseInt(flags, 16) }));
}
