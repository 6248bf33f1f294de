import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { currentTrace, remainingMs } from "../call/call-scope.ts";
import { formatTraceparent, startSpan, traceparentHeader } from "../call/trace.ts";
import { defaultLimits as limits } from "../limits.ts";

/** What a transport adds to calls that don't say it themselves. */
export type CallDefaults = {
  /** The credential: `Authorization: Bearer <token>`. */
  token?: string | (() => Promise<string>);
  /** Deadline of unary calls in milliseconds. */
  timeoutMs?: number;
};

/**
 * A transport whose calls carry a credential, a deadline and a trace. Calls made while handling another one stay within what that has left,
 * streams included, and belong to its trace.
 */
export function withCallDefaults(inner: Transport, defaults: CallDefaults): Transport {
  const prepare = async (
    asked: number | undefined,
    fallback: number | undefined,
    init: ConstructorParameters<typeof Headers>[0],
  ) => {
    const header = new Headers(init);
    if (defaults.token !== undefined && !header.has("authorization")) {
      const token = typeof defaults.token === "string" ? defaults.token : await defaults.token();
      header.set("authorization", `Bearer ${token}`);
    }
    if (!header.has(traceparentHeader)) {
      header.set(traceparentHeader, formatTraceparent(currentTrace() ?? startSpan(undefined)));
    }
    return { header, timeoutMs: callTimeout(asked, fallback, remainingMs()) };
  };
  return {
    async unary(method, signal, timeoutMs, header, input, values) {
      const call = await prepare(timeoutMs, defaults.timeoutMs ?? limits.callMs, header);
      return inner.unary(method, signal, call.timeoutMs, call.header, input, values);
    },
    async stream(method, signal, timeoutMs, header, input, values) {
      const call = await prepare(timeoutMs, undefined, header);
      return inner.stream(method, signal, call.timeoutMs, call.header, input, values);
    },
  };
}

/**
 * Whole milliseconds for a call; undefined stands for no deadline. `asked` follows Connect: undefined for the default, 0 or less for none.
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
  const own = asked === undefined ? fallback : asked <= 0 ? undefined : asked;
  const least = Math.min(own ?? Number.POSITIVE_INFINITY, remaining ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(least) ? Math.ceil(least) : undefined;
}
