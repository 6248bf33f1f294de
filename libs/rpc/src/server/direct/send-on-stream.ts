import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { corsHeaders } from "../cors.ts";
import type { Reply } from "./reply.ts";

const trailersToSend = Symbol("trailers");

type TrailedStream = ServerHttp2Stream & { [trailersToSend]?: Reply["trailers"] };

/** Answers the request that has these headers, if its stream still takes an answer. */
export function sendOnStream(stream: ServerHttp2Stream, reply: Reply, request: IncomingHttpHeaders): void {
  if (stream.destroyed || stream.closed) {
    return;
  }
  const { body, trailers } = reply;
  if (body === undefined) {
    stream.respond(head(reply, request), trailersOnly);
  } else if (trailers === undefined) {
    stream.respond(head(reply, request));
    stream.end(body);
  } else {
    begin(stream, reply, request, true);
    if (reply.prefix !== undefined) {
      // Both in one write.
      stream.cork();
      stream.write(reply.prefix);
    }
    endWith(stream, body, trailers);
  }
}

/** Sends the head of an answer. With `trailed`, `endWith` must end it with trailers. */
export function begin(
  stream: ServerHttp2Stream,
  reply: Pick<Reply, "status" | "headers">,
  request: IncomingHttpHeaders,
  trailed: boolean,
): void {
  if (trailed) {
    stream.on("wantTrailers", onWantTrailers);
  }
  stream.respond(head(reply, request), trailed ? withTrailers : undefined);
}

/** Ends an answer that has begun with trailers. */
export function endWith(
  stream: TrailedStream,
  body: Uint8Array | string,
  trailers: Readonly<Record<string, string>>,
): void {
  stream[trailersToSend] = trailers;
  stream.end(body);
}

function head({ status, headers }: Pick<Reply, "status" | "headers">, { origin }: IncomingHttpHeaders): string[] {
  const fields = [":status", String(status), ...headers];
  if (origin !== undefined) {
    fields.push(...corsHeaders);
  }
  return fields;
}

function onWantTrailers(this: TrailedStream): void {
  this.sendTrailers(this[trailersToSend] ?? {});
}

// Nothing caches gRPC, and its clients don't look at the date.
const withTrailers = { waitForTrailers: true, sendDate: false };
const trailersOnly = { endStream: true, sendDate: false };
