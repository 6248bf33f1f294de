import { once } from "node:events";
import { createServer as createHttp1Server } from "node:http";
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createNetServer, type Socket } from "node:net";
import type { Limits } from "../limits.ts";
import type { HttpRequest, HttpResponse } from "../routes.ts";
import { firstBytes } from "./first-bytes.ts";
import { closeWhenIdle, goAway } from "./http2-session.ts";

/** One port for both versions of HTTP. */
export type Listener = {
  listen(address: { port: number; host: string }): Promise<{ port: number }>;
  /** Takes no more connections, and lets the ones there are end once their requests have. Settles when all are gone. */
  drain(): Promise<void>;
  /** Ends every connection now. */
  destroy(): void;
};

/** What a listener gives its requests to. */
export type ListenerDeps = {
  /** A request of either version, in the form that both share. */
  onRequest(request: HttpRequest, response: HttpResponse): void;
  /** An HTTP/2 stream before anything is made of it; true if it is taken, otherwise it becomes a request. */
  onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean;
  /** A connection that could not be accepted. */
  onError(error: Error): void;
  limits: Limits;
};

/**
 * Listens without TLS for HTTP/1.1 and, with prior knowledge, HTTP/2: the first bytes of a connection tell which, and are put back before the
 * socket goes to Node's server of that version.
 */
export function createListener({ onRequest, onStream, onError, limits }: ListenerDeps): Listener {
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  let draining = false;

  const http1 = createHttp1Server(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.headersMs / 4,
      // Uploads take as long as they take; stalled ones are dealt with by themselves (stall-watch.ts).
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveMs,
    },
    (request, response) => {
      if (draining) {
        response.shouldKeepAlive = false;
      }
      onRequest(request, response);
    },
  );
  http1.maxHeadersCount = limits.headerFields;
  // It never listens itself, but only then would it begin to check for connections whose headers don't come.
  http1.emit("listening");

  const http2 = createHttp2Server({
    maxHeaderListPairs: limits.headerFields,
    settings: { maxConcurrentStreams: limits.streamsPerConnection, maxHeaderListSize: limits.headerBytes },
  });
  // It never listens: it makes requests and responses of streams, which costs several times what a stream itself does.
  const requests = createHttp2Server(onRequest);
  http2.on("stream", (stream: ServerHttp2Stream, headers, flags, rawHeaders) => {
    if (!onStream(stream, headers)) {
      requests.emit("stream", stream, headers, flags, rawHeaders);
    }
  });
  http2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    // A client that breaks the protocol ends its own connection, nothing else.
    session.on("error", () => {});
    closeWhenIdle(session, limits);
    if (draining) {
      goAway(session, limits.goAwayMs);
    }
  });

  const server = createNetServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    firstBytes(socket, limits.headersMs).then((kind) => {
      if (kind === "none") {
        socket.destroy();
      } else {
        (kind === "http2" ? http2 : http1).emit("connection", socket);
        socket.resume();
      }
    });
  });
  server.maxConnections = limits.connections;

  return {
    async listen(address) {
      server.listen(address);
      // Rejects with the "error" event, if that comes first.
      await once(server, "listening");
      const bound = server.address();
      if (bound === null || typeof bound === "string") {
        throw new Error("listening on something that isn't a port");
      }
      // Such as too many open files: the next connection may succeed.
      server.on("error", onError);
      return { port: bound.port };
    },
    async drain() {
      draining = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      // Connections whose last request began before this stay open for a next one.
      const sweep = setInterval(() => http1.closeIdleConnections(), 20);
      server.close(() => {
        clearInterval(sweep);
        resolve();
      });
      for (const session of sessions) {
        goAway(session, limits.goAwayMs);
      }
      http1.close();
      await promise;
    },
    destroy() {
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  };
}
