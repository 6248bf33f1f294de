import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallUnderWay } from "../../call/call-exchange.ts";
import type { StartCall } from "../../call/direct-calls.ts";
import type { ServedMethod, ServerStreamSpec, UnarySpec } from "../../call/served-method.ts";
import type { ServerStream } from "../../http2/stream.ts";
import type { Limits } from "../../limits.ts";
import { noSlot } from "../../shedding/shedding.ts";
import type { SimpleRequest } from "../simple/simple-connection.ts";
import { type Codec, codecsOf } from "./codec.ts";
import { type FieldSource, streamFormatOf, unaryFormatOf } from "./formats.ts";
import { Http1Unary } from "./http1-unary.ts";
import { Http2Request } from "./http2-request.ts";
import { Http2Streaming } from "./http2-streaming.ts";
import { Http2Unary } from "./http2-unary.ts";
import type { RequestFormat } from "./protocol.ts";
import { createRefusalReplies } from "./refusal-replies.ts";
import { sendOnStream } from "./send-on-stream.ts";
import { SimpleUnary } from "./simple-unary.ts";

/**
 * Answers calls with one request message without Connect's pipeline. What it doesn't take (`false`) is for Connect's handlers: requests that are streams or
 * compressed, GET, streams over HTTP/1.1, other paths.
 */
export type DirectServer = {
  onStream(stream: ServerStream): boolean;
  /** A request over HTTP/1.1 that is all here; undefined if it isn't taken. */
  onSimple(request: SimpleRequest): CallUnderWay | undefined;
  /** `closed` is called once the response to a request that is taken has closed. */
  onRequest(request: IncomingMessage, response: ServerResponse, closed: () => void): boolean;
};

/** Makes the server of those among `methods` that can be called directly. */
export function createDirectServer(methods: readonly ServedMethod[], start: StartCall, limits: Limits): DirectServer {
  const refusal = createRefusalReplies();
  const served = new Map<string, Entry>();
  for (const method of methods) {
    if (method.direct !== undefined) {
      served.set(method.path, { method, spec: method.direct, ...codecsOf(method.direct, limits) });
    }
  }

  /** A slot for a call, `noSlot` if it needs none; undefined: it is to be refused, as cheaply as can be, before anything is made of it. */
  function slotFor({ method }: Entry): number | undefined {
    if (method.shed === undefined) {
      return noSlot;
    }
    const slot = method.shed.by.take(performance.now());
    return slot === noSlot ? undefined : slot;
  }

  function onUnary(entry: Entry, spec: UnarySpec, stream: ServerStream): boolean {
    const format = unaryFormatOf(stream.fields);
    if (format === undefined) {
      return false;
    }
    const slot = slotFor(entry);
    if (slot === undefined) {
      sendOnStream(stream, refusal(format, entry.method));
      return true;
    }
    const codec = codecOf(entry, format);
    const request = new Http2Request(stream, format, codec, limits.messageBytes);
    const exchange = new Http2Unary(request, format, codec);
    request.carry(start(entry.method, { kind: "unary", spec, exchange }, slot));
    return true;
  }

  function onServerStream(entry: Entry, spec: ServerStreamSpec, stream: ServerStream): boolean {
    const format = streamFormatOf(stream.fields);
    if (format === undefined) {
      return false;
    }
    const codec = codecOf(entry, format);
    const request = new Http2Request(stream, format, codec, limits.messageBytes);
    const exchange = new Http2Streaming(request, format, codec);
    request.carry(start(entry.method, { kind: "server_streaming", spec, exchange }));
    return true;
  }

  return {
    onStream(stream) {
      const { path, method } = stream.fields;
      const found = served.get(path);
      if (found === undefined || method !== "POST") {
        return false;
      }
      return found.spec.kind === "unary"
        ? onUnary(found, found.spec, stream)
        : onServerStream(found, found.spec, stream);
    },
    onSimple(request) {
      const found = served.get(request.fields.path);
      const format = unaryFormatOf(request.fields);
      if (found?.spec.kind !== "unary" || format === undefined || format.name === "grpc") {
        return undefined;
      }
      const exchange = new SimpleUnary(request, format, codecOf(found, format), limits.messageBytes);
      return start(found.method, { kind: "unary", spec: found.spec, exchange });
    },
    onRequest(request, response, closed) {
      const found = served.get(request.url ?? "");
      if (found?.spec.kind !== "unary" || request.method !== "POST") {
        return false;
      }
      const format = unaryFormatOf(exchangeHeaders(request));
      if (format === undefined || format.name === "grpc") {
        // gRPC needs trailers.
        return false;
      }
      const exchange = new Http1Unary(request, response, format, codecOf(found, format), limits.messageBytes);
      const call: CallUnderWay = start(found.method, { kind: "unary", spec: found.spec, exchange });
      response.on("close", () => {
        closed();
        call.leave();
      });
      return true;
    },
  };
}

type Entry = { method: ServedMethod; spec: UnarySpec | ServerStreamSpec; binary: Codec; json: Codec };

function codecOf(entry: Entry, { json }: RequestFormat): Codec {
  return json ? entry.json : entry.binary;
}

/** Knows the headers of a request over HTTP/1.1. */
function exchangeHeaders({ headers }: IncomingMessage): FieldSource {
  return { get: (name) => headers[name]?.toString() };
}
