import type { DescMethod } from "@bufbuild/protobuf";
import { injectTrace, type Trace, traceparentHeader } from "../../call/trace.ts";
import type { ClientCallSpan } from "../../telemetry/call-telemetry.ts";
import type { RequestShape } from "./unary-protocol.ts";

/** What a caller may give as headers. */
export type HeadersInit = ConstructorParameters<typeof Headers>[0];

/** What a call says of itself besides its message. */
export type CallHeaders = {
  /** Milliseconds that it may take. */
  timeoutMs: number | undefined;
  /** The span that it is made in. Without one the server begins a trace: an id that nobody here knows would only cost time. */
  trace: Trace | undefined;
  /** Its own span, where somebody looks. */
  span: ClientCallSpan | undefined;
  /** Its credential, unless the caller gives another. */
  authorization: string | undefined;
  /** What the caller says. */
  given: HeadersInit;
};

/** Makes request headers: name, value, name, value. */
export function createRequestHeaders(protocol: RequestShape): (method: DescMethod, call: CallHeaders) => string[] {
  const prepared = new Map<DescMethod, readonly string[]>();
  return (method, call) => {
    let fixed = prepared.get(method);
    if (fixed === undefined) {
      fixed = protocol.fixedHeaders(method);
      prepared.set(method, fixed);
    }
    const { given, timeoutMs } = call;
    let headers = fixed.slice();
    let authorization = call.authorization;
    let traced = false;
    if (given !== undefined) {
      const own = new Headers(given);
      traced = own.has(traceparentHeader);
      authorization = own.has("authorization") ? undefined : authorization;
      headers = merge(headers, own, protocol, timeoutMs !== undefined);
    }
    if (timeoutMs !== undefined) {
      headers.push(protocol.timeoutHeader, protocol.formatTimeout(timeoutMs));
    }
    if (authorization !== undefined) {
      headers.push("authorization", authorization);
    }
    if (!traced) {
      const push = (name: string, value: string) => headers.push(name, value);
      if (call.span?.context !== undefined) {
        call.span.inject(push);
      } else if (call.trace !== undefined) {
        injectTrace(call.trace, push);
      }
    }
    return headers;
  };
}

/** The caller's headers beside ours: those of the protocol stay, a user agent of the caller's takes the place of ours. */
function merge(fixed: string[], given: Headers, protocol: RequestShape, timed: boolean): string[] {
  const headers = given.has("user-agent") ? withoutUserAgent(fixed) : fixed;
  for (const [name, value] of given) {
    if (!protocol.ownHeaders.has(name) && !(timed && name === protocol.timeoutHeader)) {
      headers.push(name, value);
    }
  }
  return headers;
}

function withoutUserAgent(headers: string[]): string[] {
  const at = headers.indexOf("user-agent");
  return at === -1 ? headers : headers.toSpliced(at, 2);
}
