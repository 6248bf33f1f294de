import { once } from "node:events";
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  OutgoingHttpHeaders,
} from "node:http2";
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
  /** A stream is over: there is room for another. */
  done(): void;
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
  const session = dial();
  const abort = () => session.destroy(new Error("it is no longer wanted"));
  signal?.addEventListener("abort", abort);
  const timer = setTimeout(() => {
    session.destroy(new Error(`no connection within ${times.connectMs / 1000} s`));
  }, times.connectMs);
  try {
    // A connection that is taken and closed again emits no error, only "close".
    const refused = once(session, "close").then(() => Promise.reject(new Error("it closed the connection at once")));
    await Promise.race([once(session, "connect"), refused]);
    refused.catch(() => {});
    if (session.encrypted && session.alpnProtocol !== "h2") {
      session.on("error", () => {}).destroy();
      throw new Error("it doesn't offer HTTP/2 over TLS");
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
  return watch(session, times, onRoom);
}

function watch(session: ClientHttp2Session, times: typeof connectionTimes, onRoom: () => void): Connection {
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

  // Streams report what happens to them; without a listener an error here would end the process.
  session.on("error", () => {});
  session.on("remoteSettings", (settings) => {
    limit = settings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
    onRoom();
  });
  session.on("goaway", (_code, lastStreamId) => {
    lastSeen = lastStreamId;
    // The session closes itself right after this event.
    queueMicrotask(onRoom);
  });
  const closed = Promise.withResolvers<void>();
  session.once("close", () => {
    clearInterval(rounds);
    closed.resolve();
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
    done() {
      if (--streams === 0) {
        idleSince = performance.now();
        session.unref();
      }
      onRoom();
    },
    unseen: (streamId) => streamId > lastSeen,
    drain: () => session.close(),
    destroy: () => session.destroy(),
    closed: closed.promise,
  };
}
