import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { currentTrace, remainingMs } from "../call/call-scope.ts";
import { injectTrace, startSpan, traceparentHeader } from "../call/trace.ts";
import { defaultLimits as limits } from "../limits.ts";
import type { CallTelemetry, ServerAddress } from "../telemetry/call-telemetry.ts";
import { watchStream, watchUnary } from "../telemetry/watch-call.ts";

/** What a transport adds to calls that don't say it themselves. */
export type CallDefaults = {
  /** The credential: `Authorization: Bearer <token>`. A function is asked for each call, with the call's signal. */
  token?: string | ((signal?: AbortSignal) => Promise<string>);
  /** Deadline of unary calls in milliseconds; 0 for none. */
  timeoutMs?: number;
  /** Is told of each call; `createCallTelemetry` of `@kinora/rpc/telemetry` reports them to OpenTelemetry. */
  telemetry?: CallTelemetry | undefined;
};

/** What telemetry says of a transport's calls: their protocol, and where they go unless that is in memory. */
export type CallLabels = { protocol: string; server?: ServerAddress };

/**
 * A transport whose calls carry a credential, a deadline and a trace. Calls made while handling another one stay within what that has left,
 * streams included, and belong to its trace.
 */
export function withCallDefaults(inner: Transport, defaults: CallDefaults, labels: CallLabels): Transport {
  const prepare = async (
    method: DescMethod,
    signal: AbortSignal | undefined,
    asked: number | undefined,
    fallback: number | undefined,
    init: ConstructorParameters<typeof Headers>[0],
  ) => {
    const header = new Headers(init);
    if (defaults.token !== undefined && !header.has("authorization")) {
      const token = typeof defaults.token === "string" ? defaults.token : await defaults.token(signal);
      header.set("authorization", `Bearer ${token}`);
    }
    const left = callTimeout(asked, fallback, remainingMs());
    const started = performance.now();
    const span = defaults.telemetry?.clientCall(method, labels.protocol, labels.server);
    if (!header.has(traceparentHeader)) {
      const set = (name: string, value: string) => header.set(name, value);
      if (span?.context !== undefined) {
        span.inject(set);
      } else {
        injectTrace(currentTrace() ?? startSpan(undefined), set);
      }
    }
    return { header, timeoutMs: left, span, started };
  };
  return {
    async unary(method, signal, timeoutMs, header, input, values) {
      const call = await prepare(method, signal, timeoutMs, defaults.timeoutMs ?? limits.callMs, header);
      const result = () => inner.unary(method, signal, call.timeoutMs, call.header, input, values);
      return call.span === undefined ? result() : watchUnary(call.span, call.started, result);
    },
    async stream(method, signal, timeoutMs, header, input, values) {
      const call = await prepare(method, signal, timeoutMs, undefined, header);
      const result = () => inner.stream(method, signal, call.timeoutMs, call.header, input, values);
      return call.span === undefined ? result() : watchStream(call.span, call.started, result);
    },
  };
}

/**
 * Whole milliseconds for a call; undefined stands for no deadline. `asked` follows Connect: undefined for the default, 0 or less for none, and
 * so does the default.
 * `remaining` is what the call being handled has left. Throws `deadline_exceeded` when that is nothing.
 */
export function callTimeout(
  asked: number | undefined,
  fallback: number | undefined,
  remaining: number | undefined,
): number | undefined {
  if (remaining !== undefined && remaining <= 0) {
    throw new ConnectError("the call that this one is part of has run out of time", Code.DeadlineExceeded);
  }
  const own = asked ?? fallback ?? 0;
  const least = Math.min(own > 0 ? own : Number.POSITIVE_INFINITY, remaining ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(least) ? Math.ceil(least) : undefined;
}
