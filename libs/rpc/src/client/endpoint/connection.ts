import { once } from "node:events";
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  OutgoingHttpHeaders,
} from "node:http2";
import type { Socket } from "node:net";
import { nativeSession, outliveStream } from "../../http2-lifetime.ts";
import { connectionWindowBytes, type Dial } from "./dial.ts";

/** An HTTP/2 connection that watches over itself. */
export type Connection = {
  /** Streams under way. */
  readonly streams: number;
  /** Whether it takes more streams at all: not after a GOAWAY or a broken socket. */
  usable(): boolean;
  /** Whether it has been silent for so long that it may be dead without knowing: test it before it is used. */
  stale(): boolean;
  /** Whether a stream can be opened now: it is usable, not stale, and the peer allows one more. */
  hasRoom(): boolean;
  /** Whether it has ended, along with every stream on it. */
  gone(): boolean;
  /** Whether it still answers; asks only if it is stale, and gives up on a connection that doesn't answer. */
  tested(): Promise<boolean>;
  /** Opens a stream; `done` is to be called when that is over. Throws Node's error for headers that can't be sent. */
  open(headers: OutgoingHttpHeaders | readonly string[], options?: ClientSessionRequestOptions): ClientHttp2Stream;
  /** A stream is over, and closed unless it has ended as it should: there is room for another. */
  done(stream: ClientHttp2Stream): void;
  /** Whether the server has said, by GOAWAY, that it did nothing about this stream. */
  unseen(streamId: number): boolean;
  /** Takes no more streams and ends when the last one does. */
  drain(): void;
  /** Ends it, and every stream on it. */
  destroy(): void;
  /** Settles when it is gone. */
  closed: Promise<void>;
};

/** How patient a connection is, in milliseconds. */
export const connectionTimes = {
  /** For the connection to be made. */
  connectMs: 10_000,
  /** Between PINGs while streams are open. */
  pingMs: 20_000,
  /** For a PING's answer. */
  answerMs: 5_000,
  /** Without a stream after which the connection is tested before it is used. */
  testAfterIdleMs: 30_000,
  /** Without a stream after which it is closed; sooner than a server of ours would, so that it doesn't close just as a call starts. */
  closeAfterIdleMs: 4 * 60_000,
};

/** Connects; rejects with Node's error when that fails. `onRoom` hears when there may be room for a stream where there was none, or never again. */
export async function openConnection(
  dial: Dial,
  times = connectionTimes,
  onRoom: () => void = () => {},
  signal?: AbortSignal,
): Promise<Connection> {
  const { session, socket } = dial();
  const ending = endOf(session, socket);
  const abort = () => session.destroy(new Error("it is no longer wanted"));
  signal?.addEventListener("abort", abort);
  const timer = setTimeout(() => {
    session.destroy(new Error(`no connection within ${times.connectMs / 1000} s`));
  }, times.connectMs);
  try {
    const refused = ending.then((error) => Promise.reject(error ?? new Error("it closed the connection at once")));
    session.once("connect", () => {
      if (session.encrypted && session.alpnProtocol !== "h2") {
        session.destroy(new Error("it doesn't offer HTTP/2 over TLS"));
      }
    });
    // The server's settings say how many streams it takes; a server of another kind, or one that wants another certificate, sends none.
    await Promise.race([once(session, "remoteSettings"), refused]);
    refused.catch(() => {});
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
  return watch(session, ending, times, onRoom);
}

/**
 * Settles when a session is gone, with the error if that is why. Where the other side refuses us by an alert of TLS, Node destroys the session and emits nothing but its socket's error. A
 * connection that is taken and closed again emits no error.
 */
function endOf(session: ClientHttp2Session, socket: Socket): Promise<Error | undefined> {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  // Without listeners an error would end the process; streams report what happens to them.
  session.on("error", resolve);
  socket.on("error", resolve);
  session.once("close", () => resolve(undefined));
  socket.once("close", () => resolve(undefined));
  return promise;
}

function watch(
  session: ClientHttp2Session,
  ending: Promise<unknown>,
  times: typeof connectionTimes,
  onRoom: () => void,
): Connection {
  const native = nativeSession(session);
  let streams = 0;
  let limit = session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
  let lastSeen = Number.POSITIVE_INFINITY;
  let idleSince = performance.now();
  let testing: Promise<boolean> | undefined;
  const usable = () => !session.closed && !session.destroyed;
  const stale = () => streams === 0 && performance.now() - idleSince >= times.testAfterIdleMs;

  function ping(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // On a session that is gone a PING throws: connect-es issue 1795.
    if (session.destroyed) {
      return Promise.resolve(false);
    }
    const timer = setTimeout(() => {
      session.destroy(new Error(`no sign of life for ${times.answerMs / 1000} s`));
      resolve(false);
    }, times.answerMs).unref();
    const sent = session.ping((error) => {
      clearTimeout(timer);
      resolve(error === null);
    });
    if (!sent) {
      // Too many are on their way already; their timers decide.
      clearTimeout(timer);
      resolve(usable());
    }
    return promise;
  }

  // One timer for as long as the connection lives costs calls nothing.
  const rounds = setInterval(
    () => {
      if (streams > 0) {
        void ping();
      } else if (performance.now() - idleSince >= times.closeAfterIdleMs) {
        session.close();
      }
    },
    Math.min(times.pingMs, times.closeAfterIdleMs),
  ).unref();

  session.on("remoteSettings", (settings) => {
    limit = settings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
    onRoom();
  });
  session.on("goaway", (_code, lastStreamId) => {
    lastSeen = lastStreamId;
    // The session closes itself right after this event.
    queueMicrotask(onRoom);
  });
  const closed = ending.then(() => {
    clearInterval(rounds);
    session.destroy();
    onRoom();
  });
  session.setLocalWindowSize(connectionWindowBytes);
  // An idle connection doesn't keep the process alive.
  session.unref();

  return {
    get streams() {
      return streams;
    },
    usable,
    stale,
    hasRoom: () => streams < limit && usable() && !stale(),
    gone: () => session.destroyed,
    async tested() {
      if (!usable() || !stale()) {
        return usable();
      }
      testing ??= ping().finally(() => {
        testing = undefined;
        idleSince = performance.now();
      });
      return testing;
    },
    open(headers, options) {
      const stream = session.request(headers, options);
      if (streams++ === 0) {
        session.ref();
      }
      return stream;
    },
    done(stream) {
      outliveStream(stream, native);
      if (--streams === 0) {
        idleSince = performance.now();
        session.unref();
      }
      onRoom();
    },
    unseen: (streamId) => streamId > lastSeen,
    drain: () => session.close(),
    destroy: () => session.destroy(),
    closed,
  };
}
