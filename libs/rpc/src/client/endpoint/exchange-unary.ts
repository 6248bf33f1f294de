import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { lost, resetFault } from "../faults.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import type { UnaryExchange, UnaryReply } from "./exchange.ts";

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

const nothing = new Uint8Array();
// A timer of Node that is set for longer fires at once.
const longestTimerMs = 2 ** 31 - 1;

/** Makes one exchange over a stream of its own. Settles always: with a reply, or with a fault that names the server. */
export function exchangeUnary(pool: ConnectionPool, url: string, exchange: UnaryExchange): Promise<UnaryReply> {
  return new Promise((resolve, reject) => {
    const { signal, deadline, maxBytes } = exchange;
    let connection: Connection | undefined;
    let stream: ClientHttp2Stream | undefined;
    let timer: NodeJS.Timeout | undefined;
    let settled = false;
    let over = false;
    let streamError: unknown;
    let headers: ResponseHeaders | undefined;
    let trailers: IncomingHttpHeaders | undefined;
    let first: Uint8Array | undefined;
    let more: Uint8Array[] | undefined;
    let bytes = 0;

    const settle = () => {
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    const fail = (error: ConnectError) => {
      if (settled) {
        return;
      }
      settle();
      if (stream === undefined) {
        pool.leave(entrant);
      } else if (!stream.closed) {
        stream.close(constants.NGHTTP2_CANCEL);
      }
      reject(error);
    };
    const abort = () => fail(ConnectError.from(signal?.reason, Code.Canceled));
    const expire = () => fail(new ConnectError("the operation timed out", Code.DeadlineExceeded));

    const release = () => {
      if (!over) {
        over = true;
        connection?.done();
      }
    };
    const onResponse = (fields: ResponseHeaders) => {
      headers = fields;
      const refusal = exchange.refuse?.(fields[":status"] ?? 0, fields);
      if (refusal !== undefined) {
        fail(refusal);
      }
    };
    const onData = (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (first === undefined) {
        first = chunk;
      } else {
        more ??= [first];
        more.push(chunk);
      }
      if (bytes > maxBytes) {
        fail(tooLong(maxBytes));
      }
    };
    const onTrailers = (fields: IncomingHttpHeaders) => {
      trailers = fields;
    };
    const onError = (error: unknown) => {
      streamError = error;
    };
    const onEnd = () => {
      if (settled || stream === undefined || headers === undefined || stream.rstCode !== constants.NGHTTP2_NO_ERROR) {
        // "close" tells what happened.
        return;
      }
      settle();
      if (stream.writableFinished) {
        release();
      } else {
        // The server has answered before it has read everything.
        stream.close(constants.NGHTTP2_CANCEL);
      }
      const body = more === undefined ? (first ?? nothing) : Buffer.concat(more, bytes);
      resolve({ status: headers[":status"] ?? 0, headers, body, trailers });
    };
    const onClose = () => {
      release();
      fail(faultOfClosed());
    };

    function faultOfClosed(): ConnectError {
      const id = stream?.id;
      if (id === undefined || connection?.unseen(id)) {
        return resetFault(url, constants.NGHTTP2_REFUSED_STREAM);
      }
      const code = stream?.rstCode ?? constants.NGHTTP2_NO_ERROR;
      const gone = connection?.gone() && code !== constants.NGHTTP2_REFUSED_STREAM;
      return gone || code === constants.NGHTTP2_NO_ERROR ? lost(url, streamError) : resetFault(url, code);
    }

    const entrant = {
      fail,
      start(given: Connection) {
        try {
          stream = given.open(exchange.headers);
        } catch (error) {
          fail(ConnectError.from(error, Code.Internal));
          return;
        }
        connection = given;
        stream.on("response", onResponse);
        stream.on("data", onData);
        stream.on("trailers", onTrailers);
        stream.on("end", onEnd);
        stream.on("error", onError);
        stream.on("close", onClose);
        stream.end(exchange.body);
      },
    };

    if (signal !== undefined) {
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener("abort", abort);
    }
    if (deadline !== undefined) {
      const left = Math.ceil(deadline - performance.now());
      if (left <= 0) {
        expire();
        return;
      }
      if (left <= longestTimerMs) {
        timer = setTimeout(expire, left);
      }
    }
    pool.enter(entrant);
  });
}

function tooLong(maxBytes: number): ConnectError {
  return new ConnectError(`the reply is longer than ${maxBytes} bytes`, Code.ResourceExhausted);
}
