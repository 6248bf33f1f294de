import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { createMethodSerializationLookup } from "@connectrpc/connect/protocol";
import type { ServedMethod, UnarySpec } from "../../call/served-method.ts";
import type { StartUnaryCall, UnaryMethod } from "../../call/unary-call.ts";
import type { Limits } from "../../limits.ts";
import { formatOf } from "./formats.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import type { Codec } from "./protocol.ts";

/** Answers unary calls without Connect's pipeline. What it doesn't take (`false`) is for Connect's handlers: streams, compressed requests, GET, other paths. */
export type UnaryServer = {
  onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean;
  onRequest(request: IncomingMessage, response: ServerResponse): boolean;
};

/** Makes the server of the unary methods among `methods`. */
export function createUnaryServer(
  methods: readonly ServedMethod[],
  start: StartUnaryCall,
  limits: Limits,
): UnaryServer {
  const served = new Map<string, Entry>();
  for (const method of methods) {
    if (method.unary !== undefined) {
      served.set(method.path, entry(method, method.unary, limits));
    }
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
      // A broken stream shows in "aborted" as well; without a listener its error would end the process.
      stream.on("error", ignore);
      const codec = format.json ? found.json : found.binary;
      const exchange = new Http2Exchange(stream, headers, format, codec, limits.messageBytes);
      exchange.carry(start(found.method, exchange));
      return true;
    },
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

function entry(method: ServedMethod, unary: UnarySpec, limits: Limits): Entry {
  const { getI, getO } = createMethodSerializationLookup(unary.method, undefined, undefined, {
    readMaxBytes: limits.messageBytes,
    writeMaxBytes: limits.sentMessageBytes,
  });
  const codec = (binary: boolean): Codec => ({ parse: getI(binary).parse, serialize: getO(binary).serialize });
  return { method: { ...method, unary }, binary: codec(true), json: codec(false) };
}

/** Node heeds the limit that we announce only once the client has acknowledged it. */
function tooLarge(rawHeaders: readonly string[], headerBytes: number): boolean {
  let size = 0;
  for (const text of rawHeaders) {
    size += text.length;
  }
  return size > headerBytes;
}

function ignore(): void {}
