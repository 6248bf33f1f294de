import type { ConnectError } from "@connectrpc/connect";
import type { CallContext } from "../../call/call-context.ts";
import type { HeaderSource } from "../../call/call-record.ts";
import type { Reply } from "./reply.ts";

/** What a handler has written into the headers and trailers of its response. */
export type Written = Pick<CallContext, "writtenHeader" | "writtenTrailer">;

/** How a protocol puts one message into a request, for messages that are not compressed. */
export type RequestFormat = {
  readonly name: "connect" | "grpc" | "grpc-web";
  /** Bytes that a request's body has beside its message. */
  readonly overhead: number;
  /** Whether the protocol's JSON codec is meant, rather than Protobuf's binary format. */
  readonly json: boolean;
  /** The header that says how the request is compressed. */
  readonly encodingHeader: string;
  /** Milliseconds that the caller gives the call. */
  timeout(request: HeaderSource): number | ConnectError | undefined;
  /** The message in a request's body. */
  decode(body: Buffer, messageBytes: number): Uint8Array;
};

/** One of the protocols, with one of its codecs, for unary calls. Pure: bytes and headers in, replies out. */
export type UnaryProtocol = RequestFormat & {
  reply(message: Uint8Array | string, context: Written): Reply;
  failure(error: ConnectError, context: Written): Reply;
};

/** The same for calls that are answered by a stream of messages, each in an envelope. */
export type StreamProtocol = RequestFormat & {
  /** The response's own headers. */
  readonly headers: readonly string[];
  /** Whether it ends with trailers of HTTP. */
  readonly trailers: boolean;
  /** What comes after the last message. */
  end(error: ConnectError | undefined, context: Written): Pick<Reply, "trailers"> & { body: Buffer | undefined };
};
