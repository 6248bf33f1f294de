import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { ServedMethod } from "../../call/served-method.ts";
import type { StartUnaryCall, UnaryMethod } from "../../call/unary-call.ts";
import type { Limits } from "../../limits.ts";
import { noSlot, type Shedding } from "../../shedding/shedding.ts";
import { type Codec, codecsOf } from "./codec.ts";
import { formatOf } from "./formats.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { Http2Exchange, sendOnStream, streamClosed } from "./http2-exchange.ts";
import { createRefusalReplies } from "./refusal-replies.ts";

/** Answers unary calls without Connect's pipeline. What it doesn't take (`false`) is for Connect's handlers: streams, compressed requests, GET, other paths. */
export type UnaryServer = {
  onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean;
  /** A stream has closed, one of ours or not. */
  onStreamClosed(stream: ServerHttp2Stream): void;
  onRequest(request: IncomingMessage, response: ServerResponse): boolean;
};

/** Makes the server of the unary methods among `methods`. */
export function createUnaryServer(
  methods: readonly ServedMethod[],
  start: StartUnaryCall,
  limits: Limits,
  shedding?: Shedding,
): UnaryServer {
  const refusal = createRefusalReplies(shedding);
  const served = new Map<string, Entry>();
  for (const method of methods) {
    if (method.unary !== undefined) {
      served.set(method.path, { method: { ...method, unary: method.unary }, ...codecsOf(method.unary, limits) });
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

  return {
    onStream(stream, headers, rawHeaders) {
      const found = served.get(headers[":path"] ?? "");
      if (found === undefined || headers[":method"] !== "POST" || tooLarge(rawHeaders, limits.headerBytes)) {
        return false;
      }
      const format = formatOf(headers);
      if (format === undefined) {
        return false;
      }
      // A broken stream shows in its end; without a listener its error would end the process.
      stream.on("error", ignore);
      if (stream.destroyed) {
        // Reset in the same breath: nobody waits for an answer.
        return true;
      }
      const slot = slotFor(found);
      if (slot === undefined) {
        sendOnStream(stream, refusal(format), headers);
        return true;
      }
      const codec = format.json ? found.json : found.binary;
      const exchange = new Http2Exchange(stream, headers, format, codec, limits.messageBytes);
      exchange.carry(start(found.method, exchange, slot));
      return true;
    },
    onStreamClosed: streamClosed,
    onRequest(request, response) {
      const found = served.get(request.url ?? "");
      if (found === undefined || request.method !== "POST") {
        return false;
      }
      const format = formatOf(request.headers);
      if (format === undefined || format.name === "grpc") {
        // gRPC needs trailers.
        return false;
      }
      const codec = format.json ? found.json : found.binary;
      const call = start(found.method, new Http1Exchange(request, response, format, codec, limits.messageBytes));
      response.once("close", () => call.leave());
      return true;
    },
  };
}

type Entry = { method: UnaryMethod; binary: Codec; json: Codec };

/** Node heeds the limit that we announce only once the client has acknowledged it. */
function tooLarge(rawHeaders: readonly string[], headerBytes: number): boolean {
  let size = 0;
  for (const text of rawHeaders) {
    size += text.length;
  }
  return size > headerBytes;
}

function ignore(): void {}
