import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { lost, resetFault, timedOut } from "../faults.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionPool, Entrant } from "./connection-pool.ts";
import type { UnaryExchange, UnaryReply } from "./exchange.ts";

/** Makes one exchange over a stream of its own. Settles always: with a reply, or with a fault that names the server. */
export function exchangeUnary(pool: ConnectionPool, url: string, exchange: UnaryExchange): Promise<UnaryReply> {
  return new Promise((resolve, reject) => new OngoingExchange(pool, url, exchange, resolve, reject).begin());
}

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** A stream of ours knows its exchange, so that listeners needn't be made for each. */
const owner = Symbol("exchange");
type OwnedStream = ClientHttp2Stream & { [owner]: OngoingExchange };

const nothing = new Uint8Array();
// A timer of Node that is set for longer fires at once.
const longestTimerMs = 2 ** 31 - 1;

/** A class, and listeners that all exchanges share, because this runs in every call: closures would cost a tenth of it. */
class OngoingExchange implements Entrant {
  readonly pool: ConnectionPool;
  readonly url: string;
  readonly exchange: UnaryExchange;
  readonly resolve: (reply: UnaryReply) => void;
  readonly reject: (error: ConnectError) => void;
  connection: Connection | undefined;
  stream: ClientHttp2Stream | undefined;
  timer: NodeJS.Timeout | undefined;
  abort: (() => void) | undefined;
  settled = false;
  over = false;
  /** The server has said all. */
  ended = false;
  error: unknown;
  headers: ResponseHeaders | undefined;
  trailers: IncomingHttpHeaders | undefined;
  body: Uint8Array | undefined;
  chunks: Uint8Array[] | undefined;
  bytes = 0;

  constructor(
    pool: ConnectionPool,
    url: string,
    exchange: UnaryExchange,
    resolve: (reply: UnaryReply) => void,
    reject: (error: ConnectError) => void,
  ) {
    this.pool = pool;
    this.url = url;
    this.exchange = exchange;
    this.resolve = resolve;
    this.reject = reject;
  }

  begin(): void {
    const { signal, deadline } = this.exchange;
    if (signal !== undefined) {
      this.abort = () => this.fail(ConnectError.from(signal.reason, Code.Canceled));
      if (signal.aborted) {
        this.abort();
        return;
      }
      signal.addEventListener("abort", this.abort);
    }
    if (deadline !== undefined) {
      const left = Math.ceil(deadline - performance.now());
      if (left <= 0) {
        expire(this);
        return;
      }
      if (left <= longestTimerMs) {
        this.timer = setTimeout(expire, left, this);
      }
    }
    this.pool.enter(this);
  }

  start(connection: Connection): void {
    let stream: ClientHttp2Stream;
    try {
      stream = connection.open(this.exchange.headers);
    } catch (error) {
      this.fail(ConnectError.from(error, Code.Internal));
      return;
    }
    this.connection = connection;
    this.stream = stream;
    Object.defineProperty(stream, owner, { value: this });
    stream.on("response", onResponse);
    stream.on("data", onData);
    stream.on("trailers", onTrailers);
    stream.on("end", onEnd);
    stream.on("error", onError);
    stream.on("close", onClose);
    stream.end(this.exchange.body);
  }

  fail(error: ConnectError): void {
    if (this.settled) {
      return;
    }
    this.settle();
    if (this.stream === undefined) {
      this.pool.leave(this);
    } else if (!this.stream.closed) {
      this.stream.close(constants.NGHTTP2_CANCEL);
    }
    this.reject(error);
  }

  succeed(headers: ResponseHeaders): void {
    this.settle();
    const { chunks, trailers } = this;
    const body = chunks === undefined ? (this.body ?? nothing) : Buffer.concat(chunks, this.bytes);
    this.resolve({ status: headers[":status"] ?? 0, headers, body, trailers });
  }

  settle(): void {
    this.settled = true;
    clearTimeout(this.timer);
    if (this.abort !== undefined) {
      this.exchange.signal?.removeEventListener("abort", this.abort);
    }
  }

  release(): void {
    if (!this.over) {
      this.over = true;
      if (this.stream !== undefined) {
        this.connection?.done(this.stream);
      }
    }
  }

  faultOfClosed(): ConnectError {
    const { stream, connection, url } = this;
    const id = stream?.id;
    if (id === undefined || connection?.unseen(id)) {
      return resetFault(url, constants.NGHTTP2_REFUSED_STREAM);
    }
    const code = stream?.rstCode ?? constants.NGHTTP2_NO_ERROR;
    const { deadline } = this.exchange;
    if (code === constants.NGHTTP2_CANCEL && deadline !== undefined && performance.now() >= deadline) {
      // The server's clock was quicker than our timer.
      return timedOut();
    }
    const gone = connection?.gone() && code !== constants.NGHTTP2_REFUSED_STREAM;
    return gone || code === constants.NGHTTP2_NO_ERROR ? lost(url, this.error) : resetFault(url, code);
  }
}

function expire(exchange: OngoingExchange): void {
  exchange.fail(timedOut());
}

function onResponse(this: OwnedStream, headers: ResponseHeaders, flags: number): void {
  const self = this[owner];
  self.headers = headers;
  self.ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
  const refusal = self.exchange.refuse?.(headers[":status"] ?? 0, headers);
  if (refusal !== undefined) {
    self.fail(refusal);
  }
}

function onData(this: OwnedStream, chunk: Uint8Array): void {
  const self = this[owner];
  const { maxBytes } = self.exchange;
  self.bytes += chunk.byteLength;
  if (self.bytes > maxBytes) {
    self.fail(new ConnectError(`the reply is longer than ${maxBytes} bytes`, Code.ResourceExhausted));
  } else if (self.body === undefined) {
    self.body = chunk;
  } else {
    self.chunks ??= [self.body];
    self.chunks.push(chunk);
  }
}

function onTrailers(this: OwnedStream, trailers: IncomingHttpHeaders): void {
  const self = this[owner];
  self.trailers = trailers;
  self.ended = true;
}

function onEnd(this: OwnedStream): void {
  const self = this[owner];
  // If it was reset, "close" tells what happened.
  if (!self.settled && this.rstCode === constants.NGHTTP2_NO_ERROR && self.headers !== undefined) {
    if (this.writableFinished) {
      self.release();
    } else {
      // The server has answered before it has read everything.
      this.close(constants.NGHTTP2_CANCEL);
    }
    self.succeed(self.headers);
  }
}

function onError(this: OwnedStream, error: unknown): void {
  this[owner].error = error;
}

function onClose(this: OwnedStream): void {
  const self = this[owner];
  self.release();
  if (self.settled) {
    return;
  }
  if (self.ended && self.headers !== undefined && this.rstCode === constants.NGHTTP2_NO_ERROR) {
    // A server that has answered needn't take the rest of the request, and may say so by a reset (RFC 9113, section 8.1): what was still to be sent fails, the answer stands.
    self.succeed(self.headers);
  } else {
    self.fail(self.faultOfClosed());
  }
}
