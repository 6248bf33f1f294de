import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { CallUnderWay } from "../../call/call-exchange.ts";
import type { StartCall } from "../../call/direct-calls.ts";
import type { ServedMethod, ServerStreamSpec, UnarySpec } from "../../call/served-method.ts";
import type { Limits } from "../../limits.ts";
import { noSlot, type Shedding } from "../../shedding/shedding.ts";
import { type Codec, codecsOf } from "./codec.ts";
import { streamFormatOf, unaryFormatOf } from "./formats.ts";
import { Http1Unary } from "./http1-unary.ts";
import { Http2Request, streamClosed } from "./http2-request.ts";
import { Http2Streaming } from "./http2-streaming.ts";
import { Http2Unary } from "./http2-unary.ts";
import type { RequestFormat } from "./protocol.ts";
import { createRefusalReplies } from "./refusal-replies.ts";
import { sendOnStream } from "./send-on-stream.ts";

/**
 * Answers calls with one request message without Connect's pipeline. What it doesn't take (`false`) is for Connect's handlers: requests that are streams or
 * compressed, GET, streams over HTTP/1.1, other paths.
 */
export type DirectServer = {
  onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean;
  /** A stream has closed, one of ours or not. */
  onStreamClosed(stream: ServerHttp2Stream): void;
  /** `closed` is called once the response to a request that is taken has closed. */
  onRequest(request: IncomingMessage, response: ServerResponse, closed: () => void): boolean;
};

/** Makes the server of those among `methods` that can be called directly. */
export function createDirectServer(
  methods: readonly ServedMethod[],
  start: StartCall,
  limits: Limits,
  shedding?: Shedding,
): DirectServer {
  const refusal = createRefusalReplies(shedding);
  const served = new Map<string, Entry>();
  for (const method of methods) {
    if (method.direct !== undefined) {
      served.set(method.path, { method, spec: method.direct, ...codecsOf(method.direct, limits) });
    }
  }

  /** A slot for a call, `noSlot` if it needs none; undefined: it is to be refused, as cheaply as can be, before anything is made of it. */
  function slotFor({ method }: Entry): number | undefined {
    if (shedding === undefined || method.latency === undefined) {
      return noSlot;
    }
    const slot = shedding.take(performance.now());
    return slot === noSlot ? undefined : slot;
  }

  function onUnary(entry: Entry, spec: UnarySpec, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    const format = unaryFormatOf(headers);
    if (format === undefined || isGone(stream)) {
      return format !== undefined;
    }
    const slot = slotFor(entry);
    if (slot === undefined) {
      sendOnStream(stream, refusal(format), headers);
      return true;
    }
    const codec = codecOf(entry, format);
    const request = new Http2Request(stream, headers, format, codec, limits.messageBytes);
    const exchange = new Http2Unary(request, format, codec);
    request.carry(start(entry.method, { kind: "unary", spec, exchange }, slot));
    return true;
  }

  function onServerStream(
    entry: Entry,
    spec: ServerStreamSpec,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
  ): boolean {
    const format = streamFormatOf(headers);
    if (format === undefined || isGone(stream)) {
      return format !== undefined;
    }
    const codec = codecOf(entry, format);
    const request = new Http2Request(stream, headers, format, codec, limits.messageBytes);
    const exchange = new Http2Streaming(request, format, codec);
    request.carry(start(entry.method, { kind: "server_streaming", spec, exchange }));
    return true;
  }

  return {
    onStream(stream, headers, rawHeaders) {
      const found = served.get(headers[":path"] ?? "");
      if (found === undefined || headers[":method"] !== "POST" || tooLarge(stream, rawHeaders, limits)) {
        return false;
      }
      return found.spec.kind === "unary"
        ? onUnary(found, found.spec, stream, headers)
        : onServerStream(found, found.spec, stream, headers);
    },
    onStreamClosed: streamClosed,
    onRequest(request, response, closed) {
      const found = served.get(request.url ?? "");
      if (found?.spec.kind !== "unary" || request.method !== "POST") {
        return false;
      }
      const format = unaryFormatOf(request.headers);
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

/** Whether a stream that is to be answered was reset in the same breath, so that nobody waits for the answer. */
function isGone(stream: ServerHttp2Stream): boolean {
  // A broken stream shows in its end; without a listener its error would end the process.
  stream.on("error", ignore);
  return stream.destroyed;
}

/** Node heeds the limit that we announce only once the client has acknowledged it. */
function tooLarge({ session }: ServerHttp2Stream, rawHeaders: readonly string[], { headerBytes }: Limits): boolean {
  if (session?.pendingSettingsAck === false) {
    return false;
  }
  let size = 0;
  for (const text of rawHeaders) {
    size += text.length;
  }
  return size > headerBytes;
}

function ignore(): void {}
