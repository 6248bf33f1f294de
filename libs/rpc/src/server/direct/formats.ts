import type { IncomingHttpHeaders } from "node:http";
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
export function unaryFormatOf(headers: IncomingHttpHeaders): UnaryProtocol | undefined {
  return uncompressed(unary.get(headers["content-type"] ?? ""), headers);
}

/** The same for a call that is answered by a stream. */
export function streamFormatOf(headers: IncomingHttpHeaders): StreamProtocol | undefined {
  return uncompressed(streams.get(headers["content-type"] ?? ""), headers);
}

function uncompressed<T extends RequestFormat>(format: T | undefined, headers: IncomingHttpHeaders): T | undefined {
  const encoding = format && headers[format.encodingHeader];
  return encoding === undefined || encoding === "identity" ? format : undefined;
}
