import { type Context, propagation, ROOT_CONTEXT, type TextMapPropagator, trace } from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { describe, expect, it } from "vitest";
import { createPropagation } from "./propagation.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const w3c = new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] });

type Headers = Record<string, string>;

/** What a propagator reads, as plain data. */
function seen(context: Context) {
  const span = trace.getSpanContext(context);
  return {
    span: span && { ...span, traceState: span.traceState?.serialize() },
    baggage: propagation.getBaggage(context)?.getAllEntries(),
  };
}

describe.each<[string, Headers]>([
  ["nothing", {}],
  ["a trace that is recorded", { traceparent: `00-${traceId}-${spanId}-01` }],
  ["a trace that isn't", { traceparent: `00-${traceId}-${spanId}-00` }],
  ["a trace with state", { traceparent: `00-${traceId}-${spanId}-01`, tracestate: "other=1,congo=t61rcWkgMzE" }],
  ["state without a trace", { tracestate: "other=1" }],
  ["a trace that is wrong", { traceparent: `00-${traceId}-${spanId}`, tracestate: "other=1" }],
  ["baggage", { baggage: "tenant=acme,n=1" }],
  ["a trace and baggage", { traceparent: `00-${traceId}-${spanId}-01`, tracestate: "other=1", baggage: "tenant=acme" }],
])("W3C headers with %s", (_what, headers) => {
  const { extract, inject } = createPropagation(w3c);
  const context = extract({ header: (name) => headers[name] });

  it("are read as the propagator itself reads them", () => {
    const theirs = w3c.extract(ROOT_CONTEXT, headers, { keys: Object.keys, get: (from, name) => from[name] });
    expect(seen(context)).toEqual(seen(theirs));
  });

  it("are written as the propagator itself writes them", () => {
    const theirs = new Map<string, string>();
    w3c.inject(context, theirs, { set: (into, name, value) => into.set(name, value) });
    const ours = new Map<string, string>();
    const span = trace.getSpanContext(context);
    if (span !== undefined) {
      inject(context, span, (name, value) => ours.set(name, value));
      expect(ours).toEqual(theirs);
    }
  });
});

describe("a propagator of another kind", () => {
  const own: TextMapPropagator = {
    fields: () => ["x-trace"],
    extract(context, carrier, getter) {
      const id = getter.get(carrier, "X-Trace");
      return typeof id === "string" ? trace.setSpanContext(context, { traceId: id, spanId, traceFlags: 1 }) : context;
    },
    inject: (context, carrier, setter) =>
      setter.set(carrier, "X-Trace", trace.getSpanContext(context)?.traceId ?? "none"),
  };

  it("reads and writes its own headers", () => {
    const { extract, inject } = createPropagation(own);
    const headers: Headers = { "x-trace": traceId, traceparent: "ignored" };
    const context = extract({ header: (name) => headers[name] });
    const span = trace.getSpanContext(context);
    expect(span?.traceId).toBe(traceId);
    const written = new Map<string, string>();
    inject(context, span ?? { traceId, spanId, traceFlags: 0 }, (name, value) => written.set(name, value));
    expect(Object.fromEntries(written)).toEqual({ "x-trace": traceId });
  });
});
