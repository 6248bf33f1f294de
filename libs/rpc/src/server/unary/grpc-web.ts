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
import type { UnaryProtocol } from "./protocol.ts";
import { ownHeaders } from "./reply.ts";

const ok = envelop(new TextEncoder().encode(`grpc-status: ${grpcStatusOk}\r\n`), trailerFlag);

/** gRPC-Web: gRPC whose trailers are a last envelope of the body. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md */
export function grpcWeb(json: boolean): UnaryProtocol {
  const contentType = ["content-type", json ? contentTypeJson : contentTypeProto];
  return {
    name: "grpc-web",
    overhead: prefixBytes,
    json,
    encodingHeader: headerEncoding.toLowerCase(),
    timeout: grpcTimeout,
    decode: singleMessage,
    reply: (message, context) => ({
      status: 200,
      headers: ownHeaders(contentType, context.writtenHeader),
      body: Buffer.concat([
        envelop(message),
        context.writtenTrailer === undefined ? ok : trailer(context.writtenTrailer),
      ]),
      trailers: undefined,
    }),
    failure: (error, context) => ({
      status: 200,
      headers: ownHeaders(contentType, context.writtenHeader),
      body: envelop(trailerSerialize(statusOf(error, context)), trailerFlag),
      trailers: undefined,
    }),
  };
}

function trailer(fields: Headers): Buffer {
  const all = new Headers(fields);
  all.set("grpc-status", grpcStatusOk);
  return envelop(trailerSerialize(all), trailerFlag);
}
