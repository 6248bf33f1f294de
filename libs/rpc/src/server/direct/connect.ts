import type { ConnectError } from "@connectrpc/connect";
import { mergeNonProtocolHeaders } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  contentTypeUnaryJson,
  contentTypeUnaryProto,
  errorToJsonBytes,
  headerTimeout,
  headerUnaryEncoding,
  parseTimeout,
  trailerMux,
} from "@connectrpc/connect/protocol-connect";
import type { HeaderSource } from "../../call/call-record.ts";
import { tooLarge } from "./envelope.ts";
import type { UnaryProtocol, Written } from "./protocol.ts";
import { ownHeaders } from "./reply.ts";

const timeoutHeader = headerTimeout.toLowerCase();

/** Milliseconds of a `connect-timeout-ms` header. */
export function connectTimeout(request: HeaderSource): number | ConnectError | undefined {
  const text = request.header(timeoutHeader);
  if (text === undefined) {
    return undefined;
  }
  const { timeoutMs, error } = parseTimeout(text, Number.MAX_SAFE_INTEGER);
  return error ?? timeoutMs;
}

/** Connect's protocol for unary calls: the message is the body, and errors are JSON with an HTTP status. https://connectrpc.com/docs/protocol */
export function connect(json: boolean): UnaryProtocol {
  const contentType = Object.freeze(["content-type", json ? contentTypeUnaryJson : contentTypeUnaryProto]);
  const errorType = Object.freeze(["content-type", contentTypeUnaryJson]);
  return {
    name: "connect",
    overhead: 0,
    json,
    encodingHeader: headerUnaryEncoding.toLowerCase(),
    timeout: connectTimeout,
    decode(body, messageBytes) {
      if (body.length > messageBytes) {
        throw tooLarge(body.length, messageBytes);
      }
      return body;
    },
    reply: (message, context) => ({
      status: 200,
      headers: ownHeaders(contentType, allHeaders(context)),
      body: message,
      trailers: undefined,
    }),
    failure(error, context) {
      const headers = new Headers(allHeaders(context));
      // What another server said in the headers of its error is for us.
      if (!error.isWireError) {
        mergeNonProtocolHeaders(headers, error.metadata);
      }
      return {
        status: codeToHttpStatus(error.code),
        headers: ownHeaders(errorType, headers),
        body: errorToJsonBytes(error, undefined),
        trailers: undefined,
      };
    },
  };
}

/** Response headers, and trailers among them as `trailer-…`; undefined if there are none. */
function allHeaders({ writtenHeader, writtenTrailer }: Written): Headers | undefined {
  return writtenTrailer === undefined ? writtenHeader : trailerMux(writtenHeader ?? new Headers(), writtenTrailer);
}
