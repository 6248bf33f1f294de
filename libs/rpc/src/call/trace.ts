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
};

/** The header that carries a trace from service to service: https://www.w3.org/TR/trace-context/#traceparent-header */
export const traceparentHeader = "traceparent";

const pattern = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** A new span: in the caller's trace where the header names one, otherwise in a trace of its own. */
export function startSpan(traceparent: string | null | undefined): Trace {
  const spanId = randomHex(8);
  const match = pattern.exec(traceparent ?? "");
  // Version 00 has exactly four parts; later ones may add to them.
  if (match === null || (match[1] === "00" && match[5] !== undefined)) {
    return { traceId: randomHex(16), spanId, flags: "01" };
  }
  const [, , traceId = "", parentId = "", flags = ""] = match;
  return { traceId, spanId, parentId, flags };
}

/** The header's value for a call that is made within the span `trace`, which becomes the callee's parent. */
export function formatTraceparent(trace: Trace): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.flags}`;
}
