import { constants, type ServerHttp2Session, type ServerOptions } from "node:http2";
import type { Limits } from "../limits.ts";

const highestStream = 2 ** 31 - 1;

/**
 * What every HTTP/2 connection is given, beyond what Node does by itself: it answers floods of CONTINUATION, SETTINGS, PING and empty DATA frames by ending the
 * connection (server/bad-input).
 */
export function http2Options(limits: Limits): ServerOptions {
  return {
    maxHeaderListPairs: limits.headerFields,
    maxSessionMemory: limits.connectionMegabytes,
    // A client that gives up on what it asked for, over and over, is one under load as often as one that means harm (CVE-2023-44487). Node's 33 a second would
    // end the connection of a client whose 256 calls all run out of time.
    streamResetBurst: limits.streamsPerConnection * 8,
    streamResetRate: limits.streamsPerConnection * 2,
    maxSessionInvalidFrames: 100,
    // Streams beyond the number or the memory are refused; after 100 Node would end the connection, and with it the calls under way.
    maxSessionRejectedStreams: limits.streamsPerConnection * 8,
    settings: {
      maxConcurrentStreams: limits.streamsPerConnection,
      maxHeaderListSize: limits.headerBytes,
      initialWindowSize: limits.streamWindowBytes,
      enablePush: false,
    },
  };
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
