import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Connection } from "../http2/connection.ts";
import { errorCode } from "../http2/errors.ts";
import type { ServerStream } from "../http2/stream.ts";
import type { Limits } from "../limits.ts";
import { connectionLifetime } from "./connection-age.ts";
import type { SimpleConnection } from "./simple/simple-connection.ts";
import { createStallMeter, type StallMeter } from "./stall.ts";

/** Looks after every connection of a listener by one timer, so that a quick call costs no timer of its own. */
export type ConnectionWatch = {
  http2Connection(connection: Connection): void;
  /** HTTP/2 streams that are open. */
  openStreams(): number;
  http1Connection(socket: Socket): void;
  /** Notes that a connection's next exchange has begun. True if it is the connection's last, because of its age. */
  http1Exchange(response: ServerResponse): boolean;
  /** One of those is in simple hands, until `simpleEnded`. */
  simpleConnection(connection: SimpleConnection): void;
  simpleEnded(connection: SimpleConnection): void;
  /** Whether a connection has reached its age, so that its next answer is to be its last. */
  isOld(socket: Socket): boolean;
  /** Looks at everything once. The timer does this. */
  sweep(): void;
  start(): void;
  stop(): void;
};

type Http2Connection = {
  readonly connection: Connection;
  readonly expiresAt: number;
  /** When it is cut, once it has been told to end. */
  cutAt: number | undefined;
  /** Whether what goes out moves. */
  stalls: StallMeter | undefined;
  /** Since when a header block has not ended. */
  inHeadersSince: number | undefined;
};

type Http1Connection = {
  readonly expiresAt: number;
  /** The exchange under way, or the last one. */
  response: ServerResponse | undefined;
  stalls: StallMeter | undefined;
};

const longestIntervalMs = 1_000;

/**
 * Ends connections that are idle or old, and exchanges whose client neither sends what it announced nor takes what it asked for (stall.ts). Times are as
 * exact as the sweep's interval: a quarter of the shortest limit, at most 1 s.
 */
export function createConnectionWatch(limits: Limits, random: () => number = Math.random): ConnectionWatch {
  const connections = new Map<Connection, Http2Connection>();
  /** Streams that were there at a sweep. */
  const longStreams = new Map<ServerStream, StallMeter>();
  const sockets = new Map<Socket, Http1Connection>();
  const simple = new Map<SimpleConnection, StallMeter>();
  let now = performance.now();
  let timer: NodeJS.Timeout | undefined;

  function checkConnection(watched: Http2Connection): void {
    const { connection } = watched;
    if (connection.closed) {
      connections.delete(connection);
      return;
    }
    if (watched.cutAt !== undefined) {
      if (now >= watched.cutAt) {
        connection.destroy();
      }
      return;
    }
    const { size: streams } = connection.streams;
    if (connection.closing) {
      // By us or by its client.
      watched.cutAt = now + (streams > 0 ? limits.connectionAgeGraceMs : limits.lingerMs);
      return;
    }
    const idleMs = streams > 0 ? 0 : now - connection.idleSince;
    if (isStuck(watched) || (!connection.used && idleMs >= limits.firstStreamMs)) {
      connection.destroy();
    } else if (connection.used && idleMs >= limits.idleConnectionMs) {
      connection.close();
      watched.cutAt = now + limits.lingerMs;
    } else if (now >= watched.expiresAt) {
      connection.goAway(limits.goAwayMs);
      watched.cutAt = now + limits.connectionAgeGraceMs;
    }
  }

  /** Whether the client takes nothing of what waits for it, or doesn't end a header block. */
  function isStuck(watched: Http2Connection): boolean {
    const { connection } = watched;
    watched.inHeadersSince = connection.inHeaders ? (watched.inHeadersSince ?? now) : undefined;
    if (watched.inHeadersSince !== undefined && now - watched.inHeadersSince >= limits.headersMs) {
      return true;
    }
    const { socket } = connection;
    watched.stalls ??= createStallMeter(limits, now);
    return watched.stalls(
      {
        owesBody: false,
        untaken: socket.writableLength,
        answeredEarly: false,
        received: 0,
        sent: socket.bytesWritten - socket.writableLength,
      },
      now,
    );
  }

  function checkStream(stream: ServerStream): void {
    let stalls = longStreams.get(stream);
    if (stalls === undefined) {
      stalls = createStallMeter(limits, now);
      longStreams.set(stream, stalls);
    }
    const open = !stream.remoteEnded;
    const movement = {
      owesBody: open && stream.receiveWindow > 0 && stream.unread === 0,
      untaken: stream.queued,
      answeredEarly: open && stream.localEnded,
      received: stream.received,
      sent: stream.sent,
    };
    if (stalls(movement, now)) {
      stream.reset(errorCode.cancel);
    }
  }

  function checkSocket(socket: Socket, connection: Http1Connection): void {
    const { response } = connection;
    if (response === undefined) {
      return;
    }
    const request = response.req;
    if (response.writableFinished && request.complete) {
      connection.response = undefined;
      connection.stalls = undefined;
      return;
    }
    connection.stalls ??= createStallMeter(limits, now);
    const movement = {
      owesBody: !request.complete && request.readableLength === 0,
      untaken: socket.writableLength,
      answeredEarly: !request.complete && response.writableFinished,
      received: socket.bytesRead,
      sent: socket.bytesWritten - socket.writableLength,
    };
    if (connection.stalls(movement, now)) {
      socket.destroy();
    }
  }

  function checkSimple(connection: SimpleConnection, stalls: StallMeter): void {
    const { socket, busy, idleSince } = connection;
    const { writableLength: untaken, bytesWritten } = socket;
    const movement = { owesBody: false, untaken, answeredEarly: false, received: 0, sent: bytesWritten - untaken };
    if (stalls(movement, now) || (connection.ended && now - idleSince >= limits.lingerMs)) {
      socket.destroy();
    } else if (!busy && untaken === 0 && now - idleSince >= limits.keepAliveMs) {
      connection.endIfIdle();
    }
  }

  function sweep(): void {
    now = performance.now();
    for (const watched of connections.values()) {
      checkConnection(watched);
      for (const stream of watched.connection.streams.all()) {
        checkStream(stream);
      }
    }
    for (const stream of longStreams.keys()) {
      if (stream.closed) {
        longStreams.delete(stream);
      }
    }
    for (const [connection, stalls] of simple) {
      checkSimple(connection, stalls);
    }
    for (const [socket, connection] of sockets) {
      checkSocket(socket, connection);
    }
  }

  const expiry = () => performance.now() + connectionLifetime(limits.connectionAgeMs, random());

  return {
    http2Connection(connection) {
      const nothingSeen = { cutAt: undefined, stalls: undefined, inHeadersSince: undefined };
      connections.set(connection, { connection, expiresAt: expiry(), ...nothingSeen });
      connection.socket.once("close", () => connections.delete(connection));
    },
    openStreams() {
      let open = 0;
      for (const { streams } of connections.keys()) {
        open += streams.size;
      }
      return open;
    },
    http1Connection(socket) {
      sockets.set(socket, { expiresAt: expiry(), response: undefined, stalls: undefined });
      socket.once("close", () => sockets.delete(socket));
    },
    simpleConnection(connection) {
      simple.set(connection, createStallMeter(limits, performance.now()));
    },
    simpleEnded: (connection) => simple.delete(connection),
    isOld: (socket) => now >= (sockets.get(socket)?.expiresAt ?? Number.POSITIVE_INFINITY),
    http1Exchange(response) {
      const connection = response.socket === null ? undefined : sockets.get(response.socket);
      if (connection === undefined) {
        return false;
      }
      connection.response = response;
      connection.stalls = undefined;
      return now >= connection.expiresAt;
    },
    sweep,
    start() {
      timer ??= setInterval(sweep, intervalMs(limits)).unref();
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

function intervalMs(limits: Limits): number {
  const { firstStreamMs, idleConnectionMs, keepAliveMs, stallMs, lingerMs, connectionAgeMs, connectionAgeGraceMs } =
    limits;
  const idle = Math.min(firstStreamMs, idleConnectionMs, keepAliveMs);
  const shortest = Math.min(idle, stallMs, lingerMs, connectionAgeMs, connectionAgeGraceMs);
  return Math.max(1, Math.min(shortest / 4, longestIntervalMs));
}
