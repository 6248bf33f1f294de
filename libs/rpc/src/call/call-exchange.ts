import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { CallContext, RequestFacts } from "./call-context.ts";
import type { HeaderSource } from "./call-record.ts";

/** What brings a call with one request message, and takes what comes of it: for one protocol and one way there. */
export type CallExchange = {
  /** The protocol's name in logs and to handlers. */
  readonly protocol: string;
  readonly request: RequestFacts & HeaderSource;
  /** Milliseconds that the caller gives the call; undefined if it doesn't say; the error if what it says can't be read. */
  timeout(): number | ConnectError | undefined;
  /** Reads the request's message; asked for once the call is admitted. Tells `to` of it, or of what the caller gets instead, sooner or later. */
  receive(to: MessageReceiver): void;
  /** Goes on after `to.arrived`. */
  deliver?(): void;
  /** Sends a failure, as the last thing. */
  fail(error: ConnectError, context: CallContext): void;
  /** The caller has gone before it had an answer. */
  left(): void;
};

/** For a unary call. One of `respond`, `fail` and `left` is called last, once. */
export type UnaryExchange = CallExchange & {
  /** Sends the answer; throws what the caller gets instead if the message can't be sent. */
  respond(message: Message, context: CallContext): void;
};

/** For a call that is answered by a stream of messages. One of `finish`, `fail` and `left` is called last, once. */
export type StreamExchange = CallExchange & {
  /** Sends a message; throws what the caller gets instead if it can't be sent. A promise if there is no room for the next one before it settles (as it does when the caller leaves). */
  send(message: Message, context: CallContext): Promise<void> | undefined;
  /** Ends the stream as complete. */
  finish(context: CallContext): void;
};

/** Waits for a request's message. */
export type MessageReceiver = {
  /** All of it is here. `deliver` is called when it is the call's turn to be worked on. */
  arrived(): void;
  message(message: Message): void;
  fault(thrown: unknown): void;
};

/** A call under way. */
export type CallUnderWay = {
  /** The caller has gone: the handler's signal aborts, and nothing more is sent. Does nothing once the call is over. */
  leave(): void;
};
