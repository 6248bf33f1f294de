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
import { prefixBytes, singleMessage } from "./envelope.ts";
import type { RequestFormat, StreamProtocol, UnaryProtocol, Written } from "./protocol.ts";
import { ownHeaders } from "./reply.ts";

const ok: readonly string[] = Object.freeze(["grpc-status", grpcStatusOk]);

function contentTypeOf(json: boolean): readonly string[] {
  return Object.freeze(["content-type", json ? contentTypeJson : contentTypeProto]);
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
      body: message,
      enveloped: true,
      trailers: okTrailers(context),
    }),
    failure(error, context) {
      const trailers = [...statusOf(error, context)].flat();
      if (context.writtenHeader === undefined) {
        // Nothing but trailers, in one frame.
        return {
          status: 200,
          headers: [...contentType, ...trailers],
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
      trailers: error === undefined ? okTrailers(context) : [...statusOf(error, context)].flat(),
    }),
  };
}

const empty = new Uint8Array();

function okTrailers({ writtenTrailer }: Written): readonly string[] {
  if (writtenTrailer === undefined) {
    return ok;
  }
  const all = new Headers(writtenTrailer);
  all.set("grpc-status", grpcStatusOk);
  return [...all].flat();
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
