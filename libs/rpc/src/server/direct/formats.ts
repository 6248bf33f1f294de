import { connect } from "./connect.ts";
import { connectStream } from "./connect-stream.ts";
import { grpc, grpcStream } from "./grpc.ts";
import { grpcWeb, grpcWebStream } from "./grpc-web.ts";
import type { RequestFormat, StreamProtocol, UnaryProtocol } from "./protocol.ts";

const unary = new Map<string, UnaryProtocol>([
  ...types("application/grpc", grpc),
  ...types("application/grpc-web", grpcWeb),
  ["application/proto", connect(false)],
  ["application/json", connect(true)],
  ["application/json; charset=utf-8", connect(true)],
  ["application/json;charset=utf-8", connect(true)],
]);

const streams = new Map<string, StreamProtocol>([
  ...types("application/grpc", grpcStream),
  ...types("application/grpc-web", grpcWebStream),
  ["application/connect+proto", connectStream(false)],
  ["application/connect+json", connectStream(true)],
]);

/** Knows a request's headers by their lower-case names. */
export type FieldSource = { get(name: string): string | undefined };

/** gRPC's content types: without a codec, Protobuf's is meant. */
function types<T>(type: string, protocol: (json: boolean) => T): [string, T][] {
  return [
    [type, protocol(false)],
    [`${type}+proto`, protocol(false)],
    [`${type}+json`, protocol(true)],
  ];
}

/**
 * The protocol of a unary call's request by its content type, as far as it is answered directly; undefined for the rest: other spellings, compressed
 * messages, and what no protocol is.
 */
export function unaryFormatOf(headers: FieldSource): UnaryProtocol | undefined {
  return uncompressed(unary.get(headers.get("content-type") ?? ""), headers);
}

/** The same for a call that is answered by a stream. */
export function streamFormatOf(headers: FieldSource): StreamProtocol | undefined {
  return uncompressed(streams.get(headers.get("content-type") ?? ""), headers);
}

function uncompressed<T extends RequestFormat>(format: T | undefined, headers: FieldSource): T | undefined {
  const encoding = format && headers.get(format.encodingHeader);
  return encoding === undefined || encoding === "identity" ? format : undefined;
}
