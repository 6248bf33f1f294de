import {
  type Context,
  createTraceState,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from "@opentelemetry/api";
import type { RequestHeaders } from "./call-telemetry.ts";
import { contextWithSpan } from "./span-context.ts";
import { formatFlags, parseTraceparent } from "./traceparent.ts";

type HeaderSetter = (name: string, value: string) => void;

/** Carries contexts between processes by headers. */
export type Propagation = {
  /** The context that a caller sent along; the root context where it sent none. */
  extract(request: RequestHeaders): Context;
  /** Sends a context along. `span` is its active span. */
  inject(context: Context, span: SpanContext, set: HeaderSetter): void;
};

// The names of the headers can't be listed; propagators for single headers don't ask.
const getter: TextMapGetter<RequestHeaders> = {
  keys: () => [],
  get: (request, name) => request.header(name.toLowerCase()),
};
const setter: TextMapSetter<HeaderSetter> = { set: (set, name, value) => set(name.toLowerCase(), value) };

/**
 * Propagation by a registered propagator. One that speaks W3C Trace Context (and Baggage) and nothing else, as nearly all do, is only asked
 * about baggage: its own reading and writing costs several times as much.
 */
export function createPropagation(propagator: Pick<TextMapPropagator, "extract" | "inject" | "fields">): Propagation {
  const fields = new Set(propagator.fields());
  const baggage = fields.delete("baggage");
  const plain = fields.delete("traceparent") && fields.delete("tracestate") && fields.size === 0;
  if (!plain) {
    return {
      extract: (request) => propagator.extract(ROOT_CONTEXT, request, getter),
      inject: (context, _span, set) => propagator.inject(context, set, setter),
    };
  }
  return {
    extract(request) {
      if (baggage && request.header("baggage") !== undefined) {
        return propagator.extract(ROOT_CONTEXT, request, getter);
      }
      const parent = remoteSpan(request);
      return parent === undefined ? ROOT_CONTEXT : contextWithSpan(ROOT_CONTEXT, trace.wrapSpanContext(parent));
    },
    inject(context, span, set) {
      if (baggage && propagation.getBaggage(context) !== undefined) {
        propagator.inject(context, set, setter);
        return;
      }
      set("traceparent", `00-${span.traceId}-${span.spanId}-${formatFlags(span.traceFlags)}`);
      const state = span.traceState?.serialize();
      if (state) {
        set("tracestate", state);
      }
    },
  };
}

function remoteSpan(request: RequestHeaders): SpanContext | undefined {
  const parent = parseTraceparent(request.header("traceparent"));
  if (parent === undefined) {
    return undefined;
  }
  const state = request.header("tracestate");
  return {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.flags,
    isRemote: true,
    ...(state === undefined ? {} : { traceState: createTraceState(state) }),
  };
}
