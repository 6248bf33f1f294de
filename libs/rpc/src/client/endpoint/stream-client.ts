import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientFn, UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import { lost, resetFault } from "../faults.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionPool } from "./connection-pool.ts";

/** Makes requests of any shape, under Connect's own transports. Each settles: with a response, or with a fault that names the server's address. */
export function createStreamClient(pool: ConnectionPool, baseUrl: string, authority: string): UniversalClientFn {
  return (request) => {
    const { signal } = request;
    const { promise, resolve, reject } = Promise.withResolvers<UniversalClientResponse>();
    const leave = () => {
      pool.leave(entrant);
      entrant.fail(ConnectError.from(signal?.reason, Code.Canceled));
    };
    const entrant = {
      start(connection: Connection) {
        signal?.removeEventListener("abort", leave);
        try {
          const stream = connection.open(headersOf(request, authority), { endStream: request.body === undefined });
          stream.once("close", () => connection.done(stream));
          exchange(baseUrl, connection, stream, request).then(resolve, reject);
        } catch (error) {
          entrant.fail(ConnectError.from(error, Code.Internal));
        }
      },
      fail(error: ConnectError) {
        signal?.removeEventListener("abort", leave);
        reject(error);
      },
    };
    if (signal?.aborted) {
      leave();
    } else {
      signal?.addEventListener("abort", leave);
      pool.enter(entrant);
    }
    return promise;
  };
}

function headersOf(request: UniversalClientRequest, authority: string): OutgoingHttpHeaders {
  const url = new URL(request.url);
  const headers: OutgoingHttpHeaders = {
    ":method": request.method,
    ":scheme": url.protocol.slice(0, -1),
    ":authority": authority,
    ":path": url.pathname + url.search,
  };
  request.header.forEach((value, name) => {
    headers[name] = value;
  });
  return headers;
}

/** One request and its response over a stream of its own. */
function exchange(
  baseUrl: string,
  connection: Connection,
  stream: ClientHttp2Stream,
  request: UniversalClientRequest,
): Promise<UniversalClientResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<UniversalClientResponse>();
  const { signal } = request;
  const trailer = new Headers();
  let header: Headers | undefined;
  let ended = false;
  let failure: ConnectError | undefined;

  const fail = (error: ConnectError) => {
    failure ??= error;
    reject(failure);
    if (!stream.closed) {
      stream.close(constants.NGHTTP2_CANCEL);
    }
  };
  const abort = () => {
    if (!stream.readableEnded || !stream.writableEnded) {
      fail(ConnectError.from(signal?.reason, Code.Canceled));
    }
  };
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) {
    abort();
  }

  stream.on("error", (error) => {
    failure ??= stream.rstCode === constants.NGHTTP2_NO_ERROR ? lost(baseUrl, error) : faultOfClosed();
  });
  stream.once("close", () => {
    signal?.removeEventListener("abort", abort);
    // Without a response this is the end of the call; with one it settles nothing any more.
    reject(failure ?? faultOfClosed());
  });
  stream.on("trailers", (fields) => {
    ended = true;
    copyFields(fields, trailer);
  });
  stream.once("response", (fields) => {
    header = copyFields(fields, new Headers());
    resolve({ status: fields[":status"] ?? 0, header, body: readBody(), trailer });
  });
  if (request.body !== undefined) {
    sendBody(stream, request.body).catch((error) => fail(ConnectError.from(error)));
  }

  function wasReset(): boolean {
    return stream.rstCode !== undefined && stream.rstCode !== constants.NGHTTP2_NO_ERROR;
  }

  function faultOfClosed(): ConnectError {
    if (stream.id === undefined || connection.unseen(stream.id)) {
      return resetFault(baseUrl, constants.NGHTTP2_REFUSED_STREAM);
    }
    const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    return connection.gone() && !refused ? lost(baseUrl) : resetFault(baseUrl, stream.rstCode);
  }

  async function* readBody(): AsyncGenerator<Uint8Array> {
    try {
      yield* stream.iterator({ destroyOnReturn: false });
    } catch (error) {
      // A server that has answered needn't wait for the rest of the request, and says so by a reset without an error (RFC 9113, section 8.1).
      const answered = stream.readableEnded && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (failure !== undefined || !answered) {
        throw failure ?? (wasReset() ? faultOfClosed() : lost(baseUrl, error));
      }
    } finally {
      if (!stream.closed && !stream.readableEnded) {
        stream.close(constants.NGHTTP2_CANCEL);
      }
    }
    // A stream that was cut off ends like one that is complete; only its reset code or missing trailers tell.
    // gRPC-Web says how a call went in its body.
    const grpc = /^application\/grpc(?!-web)/.test(header?.get("content-type") ?? "");
    if (failure !== undefined || wasReset() || (grpc && !ended && !header?.has("grpc-status"))) {
      throw failure ?? (wasReset() ? faultOfClosed() : lost(baseUrl));
    }
  }

  return promise;
}

async function sendBody(stream: ClientHttp2Stream, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (stream.destroyed || stream.writableEnded) {
      // The server has answered, or the call is over; either way the reading side tells.
      return;
    }
    if (!stream.write(chunk)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      stream.once("drain", resolve);
      stream.once("close", resolve);
      await promise;
      stream.off("drain", resolve);
      stream.off("close", resolve);
    }
  }
  stream.end();
}

function copyFields(fields: IncomingHttpHeaders, into: Headers): Headers {
  for (const [name, value] of Object.entries(fields)) {
    if (!name.startsWith(":") && value !== undefined) {
      for (const item of Array.isArray(value) ? value : [value]) {
        into.append(name, item);
      }
    }
  }
  return into;
}
