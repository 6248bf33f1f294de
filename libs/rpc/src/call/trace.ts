import { formatFlags, parseTraceparent } from "../telemetry/traceparent.ts";
import { randomHex } from "./random-hex.ts";

/** Where a call stands in a trace, in the terms of W3C Trace Context: one trace, a span of our own, the caller's span as its parent. */
export type Trace = {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  parentId?: string;
  /** 2 hexadecimal digits; the last bit says that somebody records the trace. */
  flags: string;
  /** What tracing systems along the way have to say of the trace: the `tracestate` header, which is passed on as it is. */
  state?: string;
};

/** The header that carries a trace from service to service: https://www.w3.org/TR/trace-context/#traceparent-header */
export const traceparentHeader = "traceparent";

/** The header beside it: https://www.w3.org/TR/trace-context/#tracestate-header */
export const tracestateHeader = "tracestate";

/** Characters of a `tracestate` that everybody passes on; what is longer is dropped. */
const maxStateLength = 512;

/** A new span: in the caller's trace where the header names one, otherwise in a trace of its own. */
export function startSpan(traceparent: string | undefined, tracestate?: string): Trace {
  const spanId = randomHex(8);
  const parent = parseTraceparent(traceparent);
  if (parent === undefined) {
    return { traceId: randomHex(16), spanId, flags: "01" };
  }
  const trace: Trace = { traceId: parent.traceId, spanId, parentId: parent.spanId, flags: formatFlags(parent.flags) };
  if (tracestate && tracestate.length <= maxStateLength) {
    trace.state = tracestate;
  }
  return trace;
}

/** Gives `set` the headers for a call that is made within the span `trace`. */
export function injectTrace(trace: Trace, set: (name: string, value: string) => void): void {
  set(traceparentHeader, formatTraceparent(trace));
  if (trace.state !== undefined) {
    set(tracestateHeader, trace.state);
  }
}

/** The header's value for a call that is made within the span `trace`, which becomes the callee's parent. */
export function formatTraceparent(trace: Trace): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.flags}`;
}
