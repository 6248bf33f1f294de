import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  type OutgoingHttpHeaders,
} from "node:http2";

/** An HTTP/2 connection that watches over itself. */
export type Connection = {
  /** Whether it takes more streams: not after a GOAWAY or a broken socket. */
  usable(): boolean;
  /** Whether it has ended, along with every stream on it. */
  gone(): boolean;
  /** Whether it still answers; asks only after a long silence, and gives up on a connection that doesn't. */
  tested(): Promise<boolean>;
  /** Opens a stream. It fails when the connection isn't usable. */
  request(headers: OutgoingHttpHeaders, options: ClientSessionRequestOptions): ClientHttp2Stream;
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

/** Connects to the server at `baseUrl`; rejects with Node's error when that fails. */
export async function openConnection(baseUrl: string, times = connectionTimes): Promise<Connection> {
  const session = connect(baseUrl, { settings: { enablePush: false } });
  const timer = setTimeout(() => {
    session.destroy(new Error(`no connection within ${times.connectMs / 1000} s`));
  }, times.connectMs);
  try {
    // A connection that is taken and closed again emits no error, only "close".
    const refused = once(session, "close").then(() => Promise.reject(new Error("it closed the connection at once")));
    await Promise.race([once(session, "connect"), refused]);
    refused.catch(() => {});
  } finally {
    clearTimeout(timer);
  }
  return watch(session, times);
}

function watch(session: ClientHttp2Session, times: typeof connectionTimes): Connection {
  let streams = 0;
  let idleSince = performance.now();
  let testing: Promise<boolean> | undefined;
  let pings: NodeJS.Timeout | undefined;
  let idle: NodeJS.Timeout | undefined;
  const usable = () => !session.closed && !session.destroyed;

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

  function becomeIdle(): void {
    clearInterval(pings);
    idleSince = performance.now();
    if (!session.destroyed) {
      // An idle connection doesn't keep the process alive.
      session.unref();
      idle = setTimeout(() => session.close(), times.closeAfterIdleMs).unref();
    }
  }

  function becomeBusy(): void {
    clearTimeout(idle);
    session.ref();
    pings = setInterval(() => void ping(), times.pingMs).unref();
  }

  // Streams report what happens to them; without a listener an error here would end the process.
  session.on("error", () => {});
  const closed = Promise.withResolvers<void>();
  session.once("close", () => {
    clearInterval(pings);
    clearTimeout(idle);
    closed.resolve();
  });
  becomeIdle();

  return {
    usable,
    gone: () => session.destroyed,
    async tested() {
      if (!usable() || streams > 0 || performance.now() - idleSince < times.testAfterIdleMs) {
        return usable();
      }
      testing ??= ping().finally(() => {
        testing = undefined;
        idleSince = performance.now();
      });
      return testing;
    },
    request(headers, options) {
      const stream = session.request(headers, options);
      streams++;
      if (streams === 1) {
        becomeBusy();
      }
      stream.once("close", () => {
        streams--;
        if (streams === 0) {
          becomeIdle();
        }
      });
      return stream;
    },
    destroy: () => session.destroy(),
    closed: closed.promise,
  };
}
