import type { ConnectError } from "@connectrpc/connect";
import {
  contentTypeJson,
  contentTypeProto,
  grpcStatusOk,
  headerEncoding,
  parseTimeout,
  setTrailerStatus,
} from "@connectrpc/connect/protocol-grpc";
import type { HeaderSource } from "../../call/call-record.ts";
import { envelop, prefixBytes, prefixOf, singleMessage } from "./envelope.ts";
import type { RequestFormat, StreamProtocol, UnaryProtocol, Written } from "./protocol.ts";
import { ownHeaders, type Reply } from "./reply.ts";

const ok = { "grpc-status": grpcStatusOk };

function contentTypeOf(json: boolean): string[] {
  return ["content-type", json ? contentTypeJson : contentTypeProto];
}

function requestFormat(json: boolean): RequestFormat {
  return {
    name: "grpc",
    overhead: prefixBytes,
    json,
    encodingHeader: headerEncoding.toLowerCase(),
    timeout: grpcTimeout,
    decode: singleMessage,
  };
}

/** gRPC: messages in envelopes, the status in the trailers. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export function grpc(json: boolean): UnaryProtocol {
  const contentType = contentTypeOf(json);
  return {
    ...requestFormat(json),
    reply: (message, context) => ({
      status: 200,
      headers: ownHeaders(contentType, context.writtenHeader),
      ...enveloped(message),
      trailers: okTrailers(context),
    }),
    failure(error, context) {
      const trailers = Object.fromEntries(statusOf(error, context));
      if (context.writtenHeader === undefined) {
        // Nothing but trailers, in one frame.
        return {
          status: 200,
          headers: [...contentType, ...Object.entries(trailers).flat()],
          body: undefined,
          trailers: undefined,
        };
      }
      return { status: 200, headers: ownHeaders(contentType, context.writtenHeader), body: empty, trailers };
    },
  };
}

/** gRPC's streams end as its unary calls do. */
export function grpcStream(json: boolean): StreamProtocol {
  return {
    ...requestFormat(json),
    headers: contentTypeOf(json),
    trailers: true,
    end: (error, context) => ({
      body: undefined,
      trailers: error === undefined ? okTrailers(context) : Object.fromEntries(statusOf(error, context)),
    }),
  };
}

/** From here on, copying a message costs more than writing it apart from its prefix. */
const largeBytes = 16 * 1024;

function enveloped(message: Uint8Array | string): Pick<Reply, "prefix" | "body"> {
  return typeof message === "string" || message.length < largeBytes
    ? { body: envelop(message) }
    : { prefix: prefixOf(message.length), body: message };
}

const empty = new Uint8Array();

function okTrailers({ writtenTrailer }: Written): Readonly<Record<string, string>> {
  return writtenTrailer === undefined ? ok : { ...Object.fromEntries(writtenTrailer), ...ok };
}

/** The call's trailers, with the status of a failure among them. */
export function statusOf(error: ConnectError, context: Written): Headers {
  return setTrailerStatus(new Headers(context.writtenTrailer), error);
}

/** Milliseconds of a `grpc-timeout` header. */
export function grpcTimeout(request: HeaderSource): number | ConnectError | undefined {
  const text = request.header("grpc-timeout");
  if (text === undefined) {
    return undefined;
  }
  const ms = wholeMilliseconds(text);
  if (ms !== undefined) {
    return ms;
  }
  const { timeoutMs, error } = parseTimeout(text, Number.MAX_SAFE_INTEGER);
  return error ?? timeoutMs;
}

/** What nearly everybody sends, read without a regular expression: up to eight digits and "m". */
function wholeMilliseconds(text: string): number | undefined {
  const last = text.length - 1;
  if (last < 1 || last > 8 || text.charCodeAt(last) !== letterM) {
    return undefined;
  }
  let ms = 0;
  for (let i = 0; i < last; i++) {
    const digit = text.charCodeAt(i) - digit0;
    if (digit < 0 || digit > 9) {
      return undefined;
    }
    ms = ms * 10 + digit;
  }
  return ms;
}

const letterM = "m".charCodeAt(0);
const digit0 = "0".charCodeAt(0);
