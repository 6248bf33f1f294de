import type { ServerResponse } from "node:http";
import { constants, type Http2Session, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { nativeSession, outliveStream } from "../http2-lifetime.ts";
import type { Limits } from "../limits.ts";
import { type Placed, Places } from "../places.ts";
import { connectionLifetime } from "./connection-age.ts";
import { goAway } from "./http2-session.ts";
import { createStallMeter, type StallMeter } from "./stall.ts";
import { countProgress, type StreamProgress } from "./stream-progress.ts";

/** Looks after every connection of a listener by one timer, so that a quick call costs no timer of its own. */
export type ConnectionWatch = {
  http2Session(session: ServerHttp2Session, socket: Socket): void;
  http2Stream(stream: ServerHttp2Stream): void;
  /** HTTP/2 streams that are open. */
  openStreams(): number;
  http1Connection(socket: Socket): void;
  /** Notes that a connection's next exchange has begun. True if it is the connection's last, because of its age. */
  http1Exchange(response: ServerResponse): boolean;
  /** Looks at everything once. The timer does this. */
  sweep(): void;
  start(): void;
  stop(): void;
};

type Http2Connection = {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  readonly native: object | undefined;
  streams: number;
  used: boolean;
  /** When the last stream ended, or it was made. */
  idleSince: number;
  readonly expiresAt: number;
  /** When it is cut, once it has been told to end. */
  cutAt: number | undefined;
};

type Http1Connection = {
  readonly expiresAt: number;
  /** The exchange under way, or the last one. */
  response: ServerResponse | undefined;
  stalls: StallMeter | undefined;
};

type LongStream = { progress: StreamProgress; stalls: StallMeter };

const connectionOf = Symbol("connection");

/** A stream with its connection and its place on it. */
type WatchedStream = ServerHttp2Stream & Placed & { [connectionOf]?: Http2Connection | undefined };

const longestIntervalMs = 1_000;

/**
 * Ends connections that are idle or old, and exchanges whose client neither sends what it announced nor takes what it asked for (stall.ts). Times are as
 * exact as the sweep's interval: a quarter of the shortest limit, at most 1 s.
 */
export function createConnectionWatch(
  limits: Limits,
  onStreamClosed: (stream: ServerHttp2Stream) => void = () => {},
  random: () => number = Math.random,
): ConnectionWatch {
  const sessions = new Map<Http2Session, Http2Connection>();
  const streams = new Places<WatchedStream>();
  const longStreams = new Map<ServerHttp2Stream, LongStream>();
  const sockets = new Map<Socket, Http1Connection>();
  let now = performance.now();
  let timer: NodeJS.Timeout | undefined;

  function streamClosed(this: WatchedStream): void {
    onStreamClosed(this);
    const connection = this[connectionOf];
    if (longStreams.size > 0) {
      longStreams.delete(this);
    }
    if (connection !== undefined) {
      this[connectionOf] = undefined;
      streams.delete(this);
      connection.streams--;
      connection.idleSince = now;
      outliveStream(this, connection.native);
    }
  }

  function checkSession(connection: Http2Connection): void {
    const { session, socket } = connection;
    if (connection.cutAt !== undefined) {
      if (now >= connection.cutAt) {
        session.destroy();
        // A client that never closes its side would keep the socket of a session that has ended.
        socket.destroy();
      }
      return;
    }
    if (session.closed) {
      // By us or by its client. Node may keep streams that are long done, and never hear of the client's end, when that says GOAWAY and then breaks the protocol (Node 26.10).
      connection.cutAt = now + (connection.streams > 0 ? limits.connectionAgeGraceMs : limits.lingerMs);
      return;
    }
    const idleMs = connection.streams > 0 ? 0 : now - connection.idleSince;
    if (!connection.used && idleMs >= limits.firstStreamMs) {
      session.destroy();
      connection.cutAt = now + limits.lingerMs;
    } else if (connection.used && idleMs >= limits.idleConnectionMs) {
      session.close();
      connection.cutAt = now + limits.lingerMs;
    } else if (now >= connection.expiresAt) {
      goAway(session, limits.goAwayMs);
      connection.cutAt = now + limits.connectionAgeGraceMs;
    }
  }

  function checkStream(stream: ServerHttp2Stream): void {
    if (stream.destroyed) {
      return;
    }
    let long = longStreams.get(stream);
    if (long === undefined) {
      long = { progress: countProgress(stream), stalls: createStallMeter(limits, now) };
      longStreams.set(stream, long);
    }
    const { remoteClose, localWindowSize = 0 } = stream.state;
    const open = remoteClose === 0;
    const movement = {
      owesBody: open && localWindowSize > 0 && stream.readableLength === 0,
      untaken: stream.bufferSize,
      answeredEarly: open && stream.writableFinished,
      received: long.progress.received,
      sent: long.progress.sent,
    };
    if (long.stalls(movement, now)) {
      stream.close(constants.NGHTTP2_CANCEL);
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

  function sweep(): void {
    now = performance.now();
    for (const connection of sessions.values()) {
      checkSession(connection);
    }
    for (const stream of streams) {
      checkStream(stream);
    }
    for (const [socket, connection] of sockets) {
      checkSocket(socket, connection);
    }
  }

  const expiry = () => performance.now() + connectionLifetime(limits.connectionAgeMs, random());

  return {
    http2Session(session, socket) {
      const idleSince = performance.now();
      sessions.set(session, {
        session,
        socket,
        native: nativeSession(session),
        streams: 0,
        used: false,
        idleSince,
        expiresAt: expiry(),
        cutAt: undefined,
      });
      session.once("close", () => sessions.delete(session));
    },
    http2Stream(stream: WatchedStream) {
      const { session } = stream;
      const connection = session === undefined ? undefined : sessions.get(session);
      // One that was reset before we heard of it has closed already.
      if (connection !== undefined && !stream.destroyed) {
        connection.streams++;
        connection.used = true;
        stream[connectionOf] = connection;
        streams.add(stream);
        stream.on("close", streamClosed);
      }
    },
    openStreams: () => streams.size,
    http1Connection(socket) {
      sockets.set(socket, { expiresAt: expiry(), response: undefined, stalls: undefined });
      socket.once("close", () => sockets.delete(socket));
    },
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
  const { firstStreamMs, idleConnectionMs, stallMs, lingerMs, connectionAgeMs, connectionAgeGraceMs } = limits;
  const shortest = Math.min(firstStreamMs, idleConnectionMs, stallMs, lingerMs, connectionAgeMs, connectionAgeGraceMs);
  return Math.max(1, Math.min(shortest / 4, longestIntervalMs));
}
