import type { IncomingHttpHeaders } from "node:http2";
import { appendHeaders, Code, ConnectError } from "@connectrpc/connect";
import {
  errorFromJsonBytes,
  trailerDemux,
  validateResponseWithCompression,
} from "@connectrpc/connect/protocol-connect";
import type { UnaryReply } from "../endpoint/exchange.ts";
import { lost } from "../faults.ts";
import { own } from "./envelope.ts";
import { decodeJson, decodeMessage, encodeJson, encodeMessage, type JsonOptions } from "./messages.ts";
import { toHeaders } from "./reply-headers.ts";
import type { RequestShape, Target, UnaryProtocol } from "./unary-protocol.ts";
import { userAgent } from "./user-agent.ts";

/** How requests by Connect begin. */
export function connectRequest(target: Target, contentType: string): RequestShape {
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
      contentType,
      "connect-protocol-version",
      "1",
      "user-agent",
      userAgent,
    ],
    ownHeaders: new Set(["content-type", "connect-protocol-version", "content-encoding", "connect-content-encoding"]),
    timeoutHeader: "connect-timeout-ms",
    // At most ten digits.
    formatTimeout: (ms) => String(Math.min(ms, 9_999_999_999)),
  };
}

/** Unary calls by Connect: https://connectrpc.com/docs/protocol#unary-rpcs. What is unusual goes through Connect's own functions. */
export function createConnectProtocol(
  target: Target,
  options: { writeMaxBytes: number; useBinaryFormat: boolean; jsonOptions?: JsonOptions },
): UnaryProtocol {
  const { writeMaxBytes, useBinaryFormat, jsonOptions } = options;
  const contentType = useBinaryFormat ? "application/proto" : "application/json";

  const refusal = (status: number, headers: IncomingHttpHeaders): ConnectError | undefined => {
    try {
      validateResponseWithCompression("unary", [], useBinaryFormat, status, toHeaders(headers));
      return undefined;
    } catch (error) {
      return ConnectError.from(error);
    }
  };

  /** The error that a reply with another status than 200 tells of. */
  const wireError = (reply: UnaryReply): unknown => {
    const [header, trailer] = trailerDemux(toHeaders(reply.headers));
    try {
      const { unaryError } = validateResponseWithCompression("unary", [], useBinaryFormat, reply.status, header);
      const fallback = unaryError ?? new ConnectError(`HTTP ${reply.status}`, Code.Unknown);
      return errorFromJsonBytes(reply.body, appendHeaders(header, trailer), fallback);
    } catch (error) {
      return error;
    }
  };

  return {
    ...connectRequest(target, contentType),
    overhead: 0,
    serialize: (desc, message) =>
      useBinaryFormat
        ? encodeMessage(desc, message, writeMaxBytes)
        : encodeJson(desc, message, writeMaxBytes, jsonOptions),
    refuse(status, headers) {
      const usual = status === 200 && headers["content-type"] === contentType;
      return usual && headers["content-encoding"] === undefined ? undefined : refusal(status, headers);
    },
    read(desc, reply, url) {
      const { status, body } = reply;
      const promised = reply.headers["content-length"];
      if (promised !== undefined && Number(promised) !== body.byteLength) {
        throw lost(url);
      }
      if (status !== 200) {
        throw wireError(reply);
      }
      const bytes = own(body, 0, body.byteLength);
      return useBinaryFormat ? decodeMessage(desc, bytes) : decodeJson(desc, bytes, jsonOptions);
    },
    header: (reply) => trailerDemux(toHeaders(reply.headers))[0],
    trailer: (reply) => trailerDemux(toHeaders(reply.headers))[1],
  };
}
