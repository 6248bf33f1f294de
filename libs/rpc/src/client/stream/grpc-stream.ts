import type { IncomingHttpHeaders } from "node:http2";
import { ConnectError } from "@connectrpc/connect";
import { findTrailerError, validateResponseWithCompression, validateTrailer } from "@connectrpc/connect/protocol-grpc";
import { lost } from "../faults.ts";
import { wrap } from "../unary/envelope.ts";
import { grpcRequest } from "../unary/grpc-protocol.ts";
import { decodeMessage, encodeMessage } from "../unary/messages.ts";
import { toHeaders } from "../unary/reply-headers.ts";
import type { Target } from "../unary/unary-protocol.ts";
import { notCompressed } from "./not-compressed.ts";
import type { StreamProtocol } from "./stream-protocol.ts";

/** Server streams by gRPC: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. */
export function createGrpcStreams(target: Target, writeMaxBytes: number): StreamProtocol {
  return {
    ...grpcRequest(target),
    serialize: (desc, message) => wrap(encodeMessage(desc, message, writeMaxBytes)),
    refuse(status, headers) {
      const type = headers["content-type"];
      const usual = status === 200 && (type === "application/grpc+proto" || type === "application/grpc");
      const plain = headers["grpc-encoding"] === undefined && headers["grpc-status"] === undefined;
      return usual && plain ? undefined : refusal(status, toHeaders(headers));
    },
    reader: (reply, trailer, url) => ({
      read: (desc, envelope) => decodeMessage(desc, notCompressed(envelope)),
      finish() {
        toHeaders(reply.trailers, trailer);
        if (reply.rest > 0 || (reply.trailers === undefined && reply.headers["grpc-status"] === undefined)) {
          // Every reply ends with trailers: this one was cut off.
          throw lost(url);
        }
        if (reply.headers["grpc-status"] === undefined) {
          expectOk(trailer, reply.headers);
        }
      },
    }),
  };
}

function expectOk(trailer: Headers, headers: IncomingHttpHeaders): void {
  if (trailer.get("grpc-status") !== "0" || trailer.has("grpc-status-details-bin")) {
    validateTrailer(trailer, toHeaders(headers));
  }
}

function refusal(status: number, header: Headers): ConnectError | undefined {
  try {
    validateResponseWithCompression([], status, header);
    return findTrailerError(header);
  } catch (error) {
    return ConnectError.from(error);
  }
}
