import type { IncomingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { findTrailerError, validateResponseWithCompression, validateTrailer } from "@connectrpc/connect/protocol-grpc";
import type { UnaryReply } from "../endpoint/exchange.ts";
import { lost } from "../faults.ts";
import { prefixBytes, unwrap, wrap } from "./envelope.ts";
import { decodeMessage, encodeMessage } from "./messages.ts";
import { toHeaders } from "./reply-headers.ts";
import type { RequestShape, Target, UnaryProtocol } from "./unary-protocol.ts";
import { userAgent } from "./user-agent.ts";

/** How requests by gRPC begin. */
export function grpcRequest(target: Target): RequestShape {
  return {
    fixedHeaders: (method) => [
      ":method",
      "POST",
      ":scheme",
      target.scheme,
      ":authority",
      target.authority,
      ":path",
      `${target.prefix}/${method.parent.typeName}/${method.name}`,
      "content-type",
      "application/grpc+proto",
      "te",
      "trailers",
      "user-agent",
      userAgent,
    ],
    ownHeaders: new Set(["content-type", "te"]),
    timeoutHeader: "grpc-timeout",
    // At most eight digits.
    formatTimeout: (ms) => (ms < 1e8 ? `${ms}m` : `${Math.min(Math.ceil(ms / 1000), 99_999_999)}S`),
  };
}

/** Unary calls by gRPC: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. What is unusual goes through Connect's own functions. */
export function createGrpcProtocol(
  target: Target,
  limits: { readMaxBytes: number; writeMaxBytes: number },
): UnaryProtocol {
  const { readMaxBytes, writeMaxBytes } = limits;
  return {
    ...grpcRequest(target),
    overhead: prefixBytes,
    serialize: (desc, message) => wrap(encodeMessage(desc, message, writeMaxBytes)),
    refuse(status, headers) {
      const type = headers["content-type"];
      const usual = status === 200 && (type === "application/grpc+proto" || type === "application/grpc");
      return usual && headers["grpc-encoding"] === undefined ? undefined : refusal(status, headers);
    },
    read(desc, reply, url) {
      const { headers, trailers } = reply;
      const usual =
        trailers !== undefined &&
        trailers["grpc-status"] === "0" &&
        trailers["grpc-status-details-bin"] === undefined &&
        headers["grpc-status"] === undefined;
      const bytes = usual ? expectMessage(reply, readMaxBytes, url) : readUnusual(reply, readMaxBytes, url);
      return decodeMessage(desc, bytes);
    },
    header: (reply) => toHeaders(reply.headers),
    trailer: (reply) => toHeaders(reply.trailers),
  };
}

function refusal(status: number, headers: IncomingHttpHeaders): ConnectError | undefined {
  try {
    validateResponseWithCompression([], status, toHeaders(headers));
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  }
}

function expectMessage(reply: UnaryReply, readMaxBytes: number, url: string): Uint8Array {
  const content = unwrap(reply.body, readMaxBytes);
  switch (content.kind) {
    case "message":
      return content.bytes;
    case "cut":
      throw lost(url);
    case "nothing":
      throw new ConnectError("protocol error: missing output message for unary method", Code.Unimplemented);
  }
}

/** A reply that tells of an error, or that is one. */
function readUnusual(reply: UnaryReply, readMaxBytes: number, url: string): Uint8Array {
  const header = toHeaders(reply.headers);
  const trailer = toHeaders(reply.trailers);
  const headerError = findTrailerError(header);
  const content = unwrap(reply.body, readMaxBytes);
  if (reply.trailers === undefined && !header.has("grpc-status")) {
    // Every reply ends with trailers, and its status in them: this one has no end.
    throw lost(url);
  }
  validateTrailer(trailer, header);
  switch (content.kind) {
    case "cut":
      throw lost(url);
    case "nothing":
      throw (
        headerError ??
        new ConnectError(
          "protocol error: missing output message for unary method",
          trailer.has("grpc-status") ? Code.Unimplemented : Code.Unknown,
        )
      );
    case "message":
      if (headerError !== undefined) {
        throw new ConnectError(
          "protocol error: received output message for unary method with error status",
          Code.Unknown,
        );
      }
      return content.bytes;
  }
}
