import type { IncomingHttpHeaders } from "node:http2";
import type { DescMessage, DescMethod, DescMethodUnary, MessageShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { UnaryReply } from "../endpoint/exchange.ts";

/** A method that takes one message and answers with one. */
export type UnaryMethod = DescMethodUnary<DescMessage, DescMessage>;

/** Where a service is, in the terms of a request. */
export type Target = {
  scheme: "http" | "https";
  /** `:authority`. */
  authority: string;
  /** What comes before the service's name in a path; empty, or without a slash at its end. */
  prefix: string;
};

/** How a protocol's requests begin. */
export type RequestShape = {
  /** Request headers that are the same for each call of a method: name, value, name, value. */
  fixedHeaders(method: DescMethod): readonly string[];
  /** Names of those that a caller can't change. */
  ownHeaders: ReadonlySet<string>;
  /** The header that tells a deadline, and its value for so many milliseconds. */
  timeoutHeader: string;
  formatTimeout(ms: number): string;
};

/** How unary calls look on the wire. */
export type UnaryProtocol = RequestShape & {
  /** Bytes that a reply's body has more than its message. */
  overhead: number;
  /** A message as a request's body. */
  serialize<D extends DescMessage>(desc: D, message: MessageShape<D>): Uint8Array;
  /** Says why a reply's body isn't wanted, once its headers are here. */
  refuse(status: number, headers: IncomingHttpHeaders): ConnectError | undefined;
  /** The reply's message. Throws the error that it tells of instead, or that it is. */
  read<D extends DescMessage>(desc: D, reply: UnaryReply, url: string): MessageShape<D>;
  /** Its metadata. */
  header(reply: UnaryReply): Headers;
  trailer(reply: UnaryReply): Headers;
};
