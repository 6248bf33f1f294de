import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createNetServer, type Socket } from "node:net";
import type { CallUnderWay } from "../call/call-exchange.ts";
import { Connection } from "../http2/connection.ts";
import type { ServerStream } from "../http2/stream.ts";
import { StreamDuplex } from "../http2/stream-duplex.ts";
import type { Limits } from "../limits.ts";
import type { HttpRequest, HttpResponse } from "../routes.ts";
import { createConnectionWatch } from "./connection-watch.ts";
import { firstBytes } from "./first-bytes.ts";
import { SimpleConnection, type SimpleRequest } from "./simple/simple-connection.ts";
import { type Credentials, createTlsServer, type TlsOptions } from "./tls.ts";
import { freeSocketPath } from "./unix-socket.ts";

/** Where to listen. Port 0 stands for any free one; `path` is a Unix socket, whose `mode` (0o600) says who may connect. */
export type ListenAddress = { port: number; host: string } | { path: string; mode?: number };

/** One port, or Unix socket, for both versions of HTTP. */
export type Listener = {
  /** Answers with the port, which is 0 for a Unix socket. Rejects with Node's error (EADDRINUSE, EACCES …) or one that says what to do. */
  listen(address: ListenAddress): Promise<{ port: number }>;
  /** HTTP/2 streams that are open, and calls over HTTP/1.1 that never become requests. */
  openStreams(): number;
  /** Takes no more connections, and lets the ones there are end once their requests have. Settles when all are gone. */
  drain(): Promise<void>;
  /** Ends every connection now. */
  destroy(): void;
  /** Identifies itself to new connections by another certificate. Throws when it can't be read, and keeps the old one; so it does without TLS. */
  setSecureContext(credentials: Credentials): void;
};

/** What a listener gives its requests to. */
export type ListenerDeps = {
  /** A request of either version, in the form that both share. */
  onRequest(request: HttpRequest, response: HttpResponse): void;
  /** An HTTP/2 stream before anything is made of it; true if it is taken, otherwise it becomes a request. */
  onStream(stream: ServerStream): boolean;
  /** An HTTP/2 request whose headers are more than there may be. */
  onTooLarge(stream: ServerStream): void;
  /** A request over HTTP/1.1 before anything is made of it; undefined if it isn't taken, and becomes a request. */
  onSimple(request: SimpleRequest): CallUnderWay | undefined;
  /** A connection that could not be accepted, or that failed through no fault of its client's. */
  onError(error: unknown): void;
  limits: Limits;
  /** Cleartext if not given. */
  tls?: TlsOptions | undefined;
};

/**
 * Listens for HTTP/1.1 and HTTP/2. With TLS, ALPN tells which; without, the first bytes of a connection do (HTTP/2 by prior knowledge), and are put back
 * before the socket goes to Node's server of that version. Stalled exchanges, idle and old connections are ended (connection-watch.ts).
 */
export function createListener({
  onRequest,
  onStream,
  onSimple,
  onTooLarge,
  onError,
  limits,
  tls,
}: ListenerDeps): Listener {
  const sockets = new Set<Socket>();
  const connections = new Set<Connection>();
  const simple = new Set<SimpleConnection>();
  const watch = createConnectionWatch(limits);
  let draining = false;

  const http1 = createHttp1Server(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.headersMs / 4,
      // Uploads take as long as they take; the watch ends those that stall.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveMs,
    },
    (request, response) => {
      if (watch.http1Exchange(response) || draining) {
        response.shouldKeepAlive = false;
      }
      onRequest(request, response);
    },
  );
  http1.maxHeadersCount = limits.headerFields;
  // It never listens itself, but only then would it begin to check for connections whose headers don't come.
  http1.emit("listening");

  // It never listens: it makes requests and responses of streams, which costs several times what a stream itself does.
  const requests = createHttp2Server(onRequest);
  const handlers = {
    onStream(stream: ServerStream) {
      if (!onStream(stream)) {
        requests.emit("stream", new StreamDuplex(stream), stream.fields.toObject(), 0, stream.fields.list);
      }
    },
    onTooLarge,
    onError,
    onClosed: (connection: Connection) => connections.delete(connection),
  };

  const simpleHandlers = {
    onRequest: onSimple,
    onOther(connection: SimpleConnection, unread: Buffer) {
      const { socket } = connection;
      simple.delete(connection);
      watch.simpleEnded(connection);
      socket.pause();
      socket.unshift(unread);
      http1.emit("connection", socket);
      socket.resume();
    },
    onClosed(connection: SimpleConnection) {
      simple.delete(connection);
      watch.simpleEnded(connection);
    },
    isLast: (connection: SimpleConnection) => draining || watch.isOld(connection.socket),
  };

  function serve(socket: Socket, kind: "http1" | "http2"): void {
    if (kind === "http1") {
      watch.http1Connection(socket);
      const connection = new SimpleConnection(socket, limits, simpleHandlers);
      simple.add(connection);
      watch.simpleConnection(connection);
      return;
    }
    const connection = new Connection(socket, limits, handlers);
    connections.add(connection);
    watch.http2Connection(connection);
    if (draining) {
      connection.goAway(limits.goAwayMs);
    }
  }

  const secure = tls && createTlsServer(tls, limits.headersMs, serve);
  const server =
    secure ??
    createNetServer({ noDelay: true }, (socket) => {
      firstBytes(socket, limits.headersMs).then((kind) => {
        if (kind === "none" || socket.destroyed) {
          socket.destroy();
        } else {
          serve(socket, kind);
          socket.resume();
        }
      });
    });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  server.maxConnections = limits.connections;

  return {
    async listen(address) {
      if ("path" in address) {
        await freeSocketPath(address.path);
      }
      server.listen("path" in address ? { path: address.path } : address);
      // Rejects with the "error" event, if that comes first.
      await once(server, "listening");
      // Such as too many open files: the next connection may succeed.
      server.on("error", onError);
      watch.start();
      if ("path" in address) {
        await chmod(address.path, address.mode ?? 0o600);
        return { port: 0 };
      }
      const bound = server.address();
      if (bound === null || typeof bound === "string") {
        throw new Error("listening on something that isn't a port");
      }
      return { port: bound.port };
    },
    openStreams: () => watch.openStreams() + [...simple].filter(({ busy }) => busy).length,
    async drain() {
      draining = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      // Connections whose last request began before this stay open for a next one.
      const endIdle = () => {
        http1.closeIdleConnections();
        for (const connection of simple) {
          connection.endIfIdle();
        }
      };
      const sweep = setInterval(endIdle, 20);
      server.close(() => {
        clearInterval(sweep);
        watch.stop();
        resolve();
      });
      for (const connection of connections) {
        connection.goAway(limits.goAwayMs);
      }
      http1.close();
      endIdle();
      await promise;
    },
    destroy() {
      for (const socket of sockets) {
        socket.destroy();
      }
    },
    setSecureContext(credentials) {
      if (secure === undefined) {
        throw new Error("this server listens without TLS; start it with a certificate");
      }
      secure.setSecureContext({ minVersion: "TLSv1.2", ...credentials });
    },
  };
}
