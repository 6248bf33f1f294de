import { constants, type ServerHttp2Session } from "node:http2";
import type { Limits } from "../limits.ts";

const highestStream = 2 ** 31 - 1;

/** Closes a connection that has been without a stream for long; one that never had a stream sooner. */
export function closeWhenIdle(session: ServerHttp2Session, limits: Limits): void {
  let streams = 0;
  let timer = setTimeout(() => session.destroy(), limits.firstStreamMs).unref();
  session.on("stream", (stream) => {
    streams++;
    clearTimeout(timer);
    stream.once("close", () => {
      streams--;
      if (streams === 0 && !session.destroyed) {
        timer = setTimeout(() => session.close(), limits.idleConnectionMs).unref();
      }
    });
  });
  session.once("close", () => clearTimeout(timer));
}

/**
 * Asks a client to go elsewhere, without failing what it has just sent: a GOAWAY that still takes every stream, and once the client must have seen it, one
 * that takes no more. Streams under way finish; then the connection ends. https://www.rfc-editor.org/rfc/rfc9113#section-6.8
 *
 * A PING would tell when the client has seen the first one, but a Node client that gets both at once never answers the PING, and never closes (Node 26.10).
 */
export function goAway(session: ServerHttp2Session, patienceMs: number): void {
  if (session.destroyed || session.closed) {
    return;
  }
  session.goaway(constants.NGHTTP2_NO_ERROR, highestStream);
  setTimeout(() => session.close(), patienceMs);
}
