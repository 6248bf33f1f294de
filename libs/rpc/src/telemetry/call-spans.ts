import { type Code, ConnectError } from "@connectrpc/connect";
import { type Context, context, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Trace } from "../call/trace.ts";
import type { CallKind } from "./call-kinds.ts";
import type { CallSpan, ClientCallSpan } from "./call-telemetry.ts";
import type { Propagation } from "./propagation.ts";
import { contextWithSpan } from "./span-context.ts";
import { formatFlags } from "./traceparent.ts";

/** A call with a span. */
export class TracedCall implements ClientCallSpan {
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
export class UntracedCall implements ClientCallSpan {
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
