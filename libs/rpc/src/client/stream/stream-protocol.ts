import type { IncomingHttpHeaders } from "node:http2";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { RequestShape } from "../unary/unary-protocol.ts";
import type { Envelope } from "./envelope-queue.ts";
import type { IncomingReply } from "./incoming-reply.ts";

/** How server streams look on the wire. */
export type StreamProtocol = RequestShape & {
  /** A message as (part of) a request's body. */
  serialize<D extends DescMessage>(desc: D, message: MessageShape<D>): Uint8Array;
  /** Says why a reply's messages aren't wanted, once its headers are here. */
  refuse(status: number, headers: IncomingHttpHeaders): ConnectError | undefined;
  /** Begins to read a reply. `trailer` is where its trailing metadata goes. */
  reader(reply: IncomingReply, trailer: Headers, url: string): StreamReader;
};

/** Reads one reply. */
export type StreamReader = {
  /** What an envelope holds; undefined if it isn't a message. Throws the error that it tells of, or that it is. */
  read<D extends DescMessage>(desc: D, envelope: Envelope): MessageShape<D> | undefined;
  /** There is nothing more. Throws the error that the reply ends with, or `unavailable` if it hasn't ended as it should. */
  finish(): void;
};
