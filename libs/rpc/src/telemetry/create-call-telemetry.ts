import type { DescMethod } from "@bufbuild/protobuf";
import { type Code, ConnectError } from "@connectrpc/connect";
import {
  type Context,
  context,
  type MeterProvider,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { currentContext, currentTrace } from "../call/call-scope.ts";
import type { Trace } from "../call/trace.ts";
import { type CallDurations, meteredDurations } from "./call-durations.ts";
import { type CallKind, type CallKinds, createCallKinds } from "./call-kinds.ts";
import type { CallSpan, CallTelemetry, ClientCallSpan, RequestHeaders, ServerAddress } from "./call-telemetry.ts";
import { createPropagation, type Propagation } from "./propagation.ts";
import { protocolOf } from "./rpc-attributes.ts";
import { contextWithSpan } from "./span-context.ts";
import { formatFlags } from "./traceparent.ts";

/** Where calls are reported; what is not given is what was registered with OpenTelemetry's API by then. */
export type CallTelemetryOptions = {
  tracerProvider?: TracerProvider;
  meterProvider?: MeterProvider;
  propagator?: Pick<TextMapPropagator, "extract" | "inject" | "fields">;
  /** Takes the durations of calls instead of the meter provider. */
  durations?: CallDurations;
  /**
   * Whether the sampler looks at attributes, which then have to be there before it decides; true if not given. False saves making them for spans that
   * it drops.
   */
  samplerReadsAttributes?: boolean;
};

/** The name under which spans and durations are reported. */
export const instrumentationScope = "@kinora/rpc";

/**
 * Reports calls to OpenTelemetry: a span for each, on either side, and its duration, after the semantic conventions for RPC (docs/telemetry.md says more). The
 * SDK has to be there first; without one there is nothing to report to, and calls keep their own ids.
 */
export function createCallTelemetry(options: CallTelemetryOptions = {}): CallTelemetry {
  const tracer = tracerOf(options.tracerProvider ?? trace.getTracerProvider());
  const durations =
    options.durations ?? meteredDurations(options.meterProvider ?? metrics.getMeterProvider(), instrumentationScope);
  const servedBy = createCallKinds("server", durations);
  const served = (method: DescMethod, protocol: string, request: RequestHeaders) =>
    servedBy(method, protocol === "" ? protocolOf(request.header("content-type")) : protocol);
  const made = kindsByServer(durations);
  if (tracer === undefined) {
    return {
      serverCall: (method, protocol, request) => new UntracedCall(served(method, protocol, request)),
      clientCall: (method, protocol, server) => new UntracedCall(made(server)(method, protocol)),
    };
  }
  const carried = createPropagation(options.propagator ?? propagation);
  const eager = options.samplerReadsAttributes ?? true;
  const enters = contextsAreElsewhere();
  const serverSpan = { kind: SpanKind.SERVER };
  const clientSpan = { kind: SpanKind.CLIENT };

  return {
    serverCall(method, protocol, request) {
      const kind = served(method, protocol, request);
      const parent = carried.extract(request);
      const attributes = () => kind.startOf(request);
      const span = tracer.startSpan(
        kind.name,
        eager ? { ...serverSpan, attributes: attributes() } : serverSpan,
        parent,
      );
      if (!eager && span.isRecording()) {
        span.setAttributes(attributes());
      }
      return new TracedCall(kind, span, parent, carried, enters);
    },
    clientCall(method, protocol, server) {
      const kind = made(server)(method, protocol);
      const parent = activeContext();
      const span = tracer.startSpan(kind.name, eager ? { ...clientSpan, attributes: kind.start } : clientSpan, parent);
      if (!eager && span.isRecording()) {
        span.setAttributes(kind.start);
      }
      return new TracedCall(kind, span, parent, carried, false);
    },
  };
}

/** Whether a context manager is registered that keeps the active context elsewhere than with the calls, as ours does. */
function contextsAreElsewhere(): boolean {
  const probe = context.active().setValue(Symbol("probe"), true);
  return context.with(probe, () => context.active() === probe && currentContext() !== probe);
}

/** The active context. Where nothing has made one: that of the call that is handled, or of the caller's trace in which a plain HTTP route runs. */
function activeContext(): Context {
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

/** A provider's tracer; undefined for the API's own stand-in as long as no SDK is behind it. */
function tracerOf(provider: TracerProvider & { getDelegateTracer?: (name: string) => Tracer | undefined }) {
  return provider.getDelegateTracer === undefined
    ? provider.getTracer(instrumentationScope)
    : provider.getDelegateTracer(instrumentationScope);
}

function kindsByServer(durations: CallDurations | undefined): (server: ServerAddress | undefined) => CallKinds {
  const inMemory = createCallKinds("client", durations);
  const kinds = new WeakMap<ServerAddress, CallKinds>();
  return (server) => {
    if (server === undefined) {
      return inMemory;
    }
    let found = kinds.get(server);
    if (found === undefined) {
      found = createCallKinds("client", durations, server);
      kinds.set(server, found);
    }
    return found;
  };
}

/** A call with a span. */
class TracedCall implements ClientCallSpan {
  readonly context: Context;
  readonly #enters: boolean;
  readonly #kind: CallKind;
  readonly #span: Span;
  readonly #parent: Context;
  readonly #carried: Propagation;

  constructor(kind: CallKind, span: Span, parent: Context, carried: Propagation, enters: boolean) {
    this.context = contextWithSpan(parent, span);
    this.#enters = enters;
    this.#kind = kind;
    this.#span = span;
    this.#parent = parent;
    this.#carried = carried;
  }

  get trace(): Trace {
    const { traceId, spanId, traceFlags } = this.#span.spanContext();
    const parentId = trace.getSpanContext(this.#parent)?.spanId;
    return { traceId, spanId, flags: formatFlags(traceFlags), ...(parentId === undefined ? {} : { parentId }) };
  }

  get enter(): CallSpan["enter"] {
    return this.#enters ? (action) => context.with(this.context, action) : undefined;
  }

  inject(set: (name: string, value: string) => void): void {
    this.#carried.inject(this.context, this.#span.spanContext(), set);
  }

  end(outcome: Code | "ok", error: unknown, ms: number): void {
    const code = outcome === "ok" ? 0 : outcome;
    const kind = this.#kind;
    kind.measure(code, ms, this.context);
    const span = this.#span;
    if (!span.isRecording()) {
      return;
    }
    span.setAttributes(kind.end[code] ?? {});
    if (kind.fails[code]) {
      // A ConnectError is what the caller gets: no secrets, no stack.
      const message = error instanceof ConnectError ? { message: error.rawMessage } : {};
      span.setStatus({ code: SpanStatusCode.ERROR, ...message });
    }
    span.end();
  }
}

/** A call whose duration is measured, and nothing else. */
class UntracedCall implements ClientCallSpan {
  readonly trace = undefined;
  readonly context = undefined;
  readonly enter = undefined;
  readonly #kind: CallKind;

  constructor(kind: CallKind) {
    this.#kind = kind;
  }

  inject(): void {}

  end(outcome: Code | "ok", _error: unknown, ms: number): void {
    this.#kind.measure(outcome === "ok" ? 0 : outcome, ms, undefined);
  }
}
