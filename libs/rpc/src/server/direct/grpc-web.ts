import type { ConnectError } from "@connectrpc/connect";
import { grpcStatusOk } from "@connectrpc/connect/protocol-grpc";
import {
  contentTypeJson,
  contentTypeProto,
  headerEncoding,
  trailerFlag,
  trailerSerialize,
} from "@connectrpc/connect/protocol-grpc-web";
import { envelop, prefixBytes, singleMessage } from "./envelope.ts";
import { grpcTimeout, statusOf } from "./grpc.ts";
import type { RequestFormat, StreamProtocol, UnaryProtocol, Written } from "./protocol.ts";
import { ownHeaders } from "./reply.ts";

const ok = envelop(new TextEncoder().encode(`grpc-status: ${grpcStatusOk}\r\n`), trailerFlag);

function contentTypeOf(json: boolean): readonly string[] {
  return Object.freeze(["content-type", json ? contentTypeJson : contentTypeProto]);
}

function requestFormat(json: boolean): RequestFormat {
  return {
    name: "grpc-web",
    overhead: prefixBytes,
    json,
    encodingHeader: headerEncoding.toLowerCase(),
    timeout: grpcTimeout,
    decode: singleMessage,
  };
}

/** gRPC-Web: gRPC whose trailers are a last envelope of the body. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md */
export function grpcWeb(json: boolean): UnaryProtocol {
  const contentType = contentTypeOf(json);
  return {
    ...requestFormat(json),
    reply: (message, context) => ({
      status: 200,
      headers: ownHeaders(contentType, context.writtenHeader),
      body: Buffer.concat([envelop(message), okTrailer(context)]),
      trailers: undefined,
    }),
    failure: (error, context) => ({
      status: 200,
      headers: ownHeaders(contentType, context.writtenHeader),
      body: failureTrailer(error, context),
      trailers: undefined,
    }),
  };
}

/** gRPC-Web's streams end as its unary calls do. */
export function grpcWebStream(json: boolean): StreamProtocol {
  return {
    ...requestFormat(json),
    headers: contentTypeOf(json),
    trailers: false,
    end: (error, context) => ({
      body: error === undefined ? okTrailer(context) : failureTrailer(error, context),
      trailers: undefined,
    }),
  };
}

function failureTrailer(error: ConnectError, context: Written): Buffer {
  return envelop(trailerSerialize(statusOf(error, context)), trailerFlag);
}

function okTrailer({ writtenTrailer }: Written): Buffer {
  if (writtenTrailer === undefined) {
    return ok;
  }
  const all = new Headers(writtenTrailer);
  all.set("grpc-status", grpcStatusOk);
  return envelop(trailerSerialize(all), trailerFlag);
}
