import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Connection } from "../endpoint/connection.ts";
import type { ConnectionPool, Entrant } from "../endpoint/connection-pool.ts";
import type { UnaryExchange } from "../endpoint/exchange.ts";
import { lost, resetFault, timedOut } from "../faults.ts";
import { createEnvelopeQueue, type Envelope } from "./envelope-queue.ts";

/** A reply whose messages are read as they come. */
export type IncomingReply = {
  readonly headers: IncomingHttpHeaders;
  /** Once there is nothing more to take. */
  readonly trailers: IncomingHttpHeaders | undefined;
  /** Bytes at the end that aren't a whole message. */
  readonly rest: number;
  /**
   * The next message; "later" if it isn't here, "over" if there is none. Throws what went wrong: at once if the caller gave up, after the last message that came whole if
   * the server did.
   */
  take(): Envelope | "later" | "over";
  /** Is called when `take` may no longer say "later". */
  onChange: () => void;
  /** Nobody reads any more. */
  cancel(): void;
};

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

// Unread bytes above which the server has to wait. The stream's window, which is larger, comes on top.
const enoughBytes = 256 * 1024;
const longestTimerMs = 2 ** 31 - 1;

/** Sends a request that is whole; resolves with the reply once its headers are here. `maxBytes` is that of one message. */
export function receiveReply(pool: ConnectionPool, url: string, exchange: UnaryExchange): Promise<IncomingReply> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingReply>();
  const { signal, deadline, maxBytes } = exchange;
  const queue = createEnvelopeQueue(maxBytes);
  let connection: Connection | undefined;
  let stream: ClientHttp2Stream | undefined;
  let timer: NodeJS.Timeout | undefined;
  let headers: ResponseHeaders = {};
  let trailers: IncomingHttpHeaders | undefined;
  /** Nothing more comes: all is here, or `fault` says why not. */
  let over = false;
  let released = false;
  let paused = false;
  let streamError: unknown;
  let fault: ConnectError | undefined;
  /** The fault is the caller's: what has come doesn't matter any more. */
  let given = false;

  const end = () => {
    over = true;
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  };
  const release = () => {
    if (!released && stream !== undefined) {
      released = true;
      connection?.done(stream);
    }
  };
  const fail = (error: ConnectError) => {
    if (over) {
      return;
    }
    end();
    fault = error;
    if (stream === undefined) {
      pool.leave(entrant);
    } else if (!stream.closed) {
      stream.close(constants.NGHTTP2_CANCEL);
    }
    reject(error);
    reply.onChange();
  };
  const giveUp = (error: ConnectError) => {
    given = true;
    fail(error);
  };
  const abort = () => giveUp(ConnectError.from(signal?.reason, Code.Canceled));
  const expire = () => giveUp(timedOut());

  function faultOfClosed(closed: ClientHttp2Stream): ConnectError {
    const { id, rstCode } = closed;
    if (id === undefined || connection?.unseen(id)) {
      return resetFault(url, constants.NGHTTP2_REFUSED_STREAM);
    }
    if (rstCode === constants.NGHTTP2_CANCEL && deadline !== undefined && performance.now() >= deadline) {
      return timedOut();
    }
    const gone = connection?.gone() && rstCode !== constants.NGHTTP2_REFUSED_STREAM;
    return gone || rstCode === constants.NGHTTP2_NO_ERROR ? lost(url, streamError) : resetFault(url, rstCode);
  }

  function listen(opened: ClientHttp2Stream): void {
    let begun = false;
    let ended = false;
    opened.on("response", (fields, flags) => {
      begun = true;
      headers = fields;
      ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const refusal = exchange.refuse?.(fields[":status"] ?? 0, fields);
      if (refusal === undefined) {
        resolve(reply);
      } else {
        fail(refusal);
      }
    });
    opened.on("data", (chunk: Uint8Array) => {
      if (over) {
        return;
      }
      queue.push(chunk);
      if (queue.bytes >= enoughBytes && isReady()) {
        paused = true;
        opened.pause();
      }
      reply.onChange();
    });
    opened.on("trailers", (fields) => {
      trailers = fields;
      ended = true;
    });
    opened.on("end", () => {
      if (over || !begun || opened.rstCode !== constants.NGHTTP2_NO_ERROR) {
        // "close" tells what happened.
        return;
      }
      end();
      if (opened.writableFinished) {
        release();
      } else {
        opened.close(constants.NGHTTP2_CANCEL);
      }
      reply.onChange();
    });
    opened.on("error", (error) => {
      streamError = error;
    });
    opened.on("close", () => {
      release();
      if (ended && opened.rstCode === constants.NGHTTP2_NO_ERROR && !over) {
        // It needn't take the rest of the request once it has answered (RFC 9113, section 8.1).
        end();
        reply.onChange();
      } else {
        fail(faultOfClosed(opened));
      }
    });
  }

  function isReady(): boolean {
    try {
      return queue.ready();
    } catch {
      return true;
    }
  }

  const entrant: Entrant = {
    fail,
    start(to) {
      try {
        stream = to.open(exchange.headers);
      } catch (error) {
        fail(ConnectError.from(error, Code.Internal));
        return;
      }
      connection = to;
      listen(stream);
      stream.end(exchange.body);
    },
  };

  const reply: IncomingReply = {
    get headers() {
      return headers;
    },
    get trailers() {
      return trailers;
    },
    get rest() {
      return queue.bytes;
    },
    take() {
      if (given && fault !== undefined) {
        throw fault;
      }
      if (signal?.aborted) {
        throw ConnectError.from(signal.reason, Code.Canceled);
      }
      const envelope = queue.take();
      if (paused && (queue.bytes < enoughBytes || !isReady())) {
        paused = false;
        stream?.resume();
      }
      if (envelope !== undefined) {
        return envelope;
      }
      if (fault !== undefined) {
        throw fault;
      }
      return over ? "over" : "later";
    },
    onChange() {},
    cancel: () => giveUp(new ConnectError("nobody reads the reply any more", Code.Canceled)),
  };

  signal?.addEventListener("abort", abort);
  if (signal?.aborted) {
    abort();
    return promise;
  }
  if (deadline !== undefined) {
    const left = Math.ceil(deadline - performance.now());
    if (left <= 0) {
      expire();
      return promise;
    }
    if (left <= longestTimerMs) {
      timer = setTimeout(expire, left);
    }
  }
  pool.enter(entrant);
  return promise;
}
