import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { CallContext } from "./call-context.ts";
import type { CallExchange, CallUnderWay, MessageReceiver, StreamExchange, UnaryExchange } from "./call-exchange.ts";
import type { CallRecord } from "./call-record.ts";
import type { Expiring } from "./deadlines.ts";
import type { ServerStreamSpec, UnarySpec } from "./served-method.ts";

/** What answers a call, and where the answer goes. */
export type Answering =
  | { readonly kind: "unary"; readonly spec: UnarySpec; readonly exchange: UnaryExchange }
  | { readonly kind: "server_streaming"; readonly spec: ServerStreamSpec; readonly exchange: StreamExchange };

/** What becomes of a call next. */
export type Steps = {
  arrived(call: RunningCall): void;
  received(call: RunningCall): void;
  fail(call: RunningCall, thrown: unknown): void;
  leave(call: RunningCall): void;
};

/** The state of a call that is run without Connect's pipeline. Its exchange tells it what happens; each event leads to a step, unless the call is over. */
export class RunningCall implements CallUnderWay, MessageReceiver, Expiring {
  readonly answering: Answering;
  readonly record: CallRecord;
  readonly context: CallContext;
  readonly #steps: Steps;
  expiresAt = Number.POSITIVE_INFINITY;
  /** `expiresAt` is for the body's arrival, and the call itself has longer. */
  reading = false;
  badTimeout: ConnectError | undefined = undefined;
  /** The request's message, once it is here. */
  request: Message | undefined = undefined;
  /** What ends the handler's stream and the watch over the server's end; undefined where there is no such thing. */
  stop: (() => void) | undefined = undefined;

  constructor(answering: Answering, record: CallRecord, steps: Steps) {
    this.answering = answering;
    this.record = record;
    this.context = new CallContext(record, answering.exchange.request);
    this.#steps = steps;
  }

  get exchange(): CallExchange {
    return this.answering.exchange;
  }

  arrived(): void {
    if (!this.record.ended) {
      this.#steps.arrived(this);
    }
  }

  message(message: Message): void {
    if (!this.record.ended) {
      this.request = message;
      this.#steps.received(this);
    }
  }

  fault(thrown: unknown): void {
    this.#steps.fail(this, thrown);
  }

  leave(): void {
    this.#steps.leave(this);
  }
}
