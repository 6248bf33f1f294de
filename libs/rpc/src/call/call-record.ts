import {
  type Code,
  type ConnectError,
  type ContextKey,
  createContextKey,
  type HandlerContext,
} from "@connectrpc/connect";
import type { Context } from "@opentelemetry/api";
import type { Caller } from "../caller.ts";
import type { CallSpan } from "../telemetry/call-telemetry.ts";
import type { CallScope } from "./call-scope.ts";
import type { MethodFacts } from "./served-method.ts";
import { startSpan, type Trace, traceparentHeader, tracestateHeader } from "./trace.ts";

/** Knows a request's headers by their lower-case names. */
export type HeaderSource = { header(name: string): string | undefined };

/** One call from its first header to the last byte of its answer: what the parts of its way tell each other. It ends as a line of the access log. */
export class CallRecord implements CallScope {
  readonly method: MethodFacts;
  /** Knows the request's headers. */
  readonly request: HeaderSource;
  /** Aborts when the server starts to close. */
  readonly drain: AbortSignal;
  /** On the clock of `performance.now()`. */
  readonly started = performance.now();
  /** Unknown (empty) until the call's protocol is. */
  protocol: string;
  deadline: number | undefined = undefined;
  ended = false;
  /** Who calls, once the gate knows. */
  caller: Caller | undefined = undefined;
  /** How the call ended, once that is decided; `undefined` where Connect itself refused it. */
  outcome: Code | "ok" | undefined = undefined;
  /** What the caller gets instead of an answer. */
  error: ConnectError | undefined = undefined;
  /** What telemetry keeps of the call, where somebody looks. */
  span: CallSpan | undefined = undefined;
  slot = 0;
  arrived = 0;
  /** Refused to keep the load down: such calls are counted, not logged. */
  shed = false;
  #trace: Trace | undefined = undefined;

  constructor(method: MethodFacts, request: HeaderSource, drain: AbortSignal, protocol: string) {
    this.method = method;
    this.request = request;
    this.drain = drain;
    this.protocol = protocol;
  }

  /** Made when first asked for: a call that nobody logs, and that makes no further calls, needs none. */
  get trace(): Trace {
    this.#trace ??=
      this.span?.trace ?? startSpan(this.request.header(traceparentHeader), this.request.header(tracestateHeader));
    return this.#trace;
  }

  get context(): Context | undefined {
    return this.span?.context;
  }

  get enter(): CallSpan["enter"] {
    return this.span?.enter;
  }
}

/** Where a call's record travels. */
export const callRecordKey: ContextKey<CallRecord | undefined> = createContextKey<CallRecord | undefined>(undefined, {
  description: "call record",
});

const never = new AbortController().signal;

/**
 * Aborts when the server starts to close. Handlers that wait for something (a long poll) return what they have then; streams needn't look:
 * their own signal aborts as well.
 */
export function drainSignal(context: Pick<HandlerContext, "values">): AbortSignal {
  return context.values.get(callRecordKey)?.drain ?? never;
}
