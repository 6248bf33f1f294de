import type { ConnectError } from "@connectrpc/connect";
import type { HeaderSource } from "../../call/call-record.ts";
import type { UnaryContext } from "../../call/unary-context.ts";
import type { Reply } from "./reply.ts";

/** What a handler has written into the headers and trailers of its response. */
export type Written = Pick<UnaryContext, "writtenHeader" | "writtenTrailer">;

/** One of the protocols, with one of its codecs, for unary calls whose messages are not compressed. Pure: bytes and headers in, replies out. */
export type UnaryProtocol = {
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
  reply(message: Uint8Array | string, context: Written): Reply;
  failure(error: ConnectError, context: Written): Reply;
};
