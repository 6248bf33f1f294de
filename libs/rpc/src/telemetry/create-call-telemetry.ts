import type { DescMethod } from "@bufbuild/protobuf";
import {
  type MeterProvider,
  metrics,
  propagation,
  SpanKind,
  type TextMapPropagator,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { activeContext, contextsAreElsewhere } from "./active-context.ts";
import { type CallDurations, meteredDurations } from "./call-durations.ts";
import { type CallKinds, createCallKinds } from "./call-kinds.ts";
import { TracedCall, UntracedCall } from "./call-spans.ts";
import type { CallTelemetry, RequestHeaders, ServerAddress } from "./call-telemetry.ts";
import { createPropagation } from "./propagation.ts";
import { protocolOf } from "./rpc-attributes.ts";

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
