import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientFn, UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import type { Connection } from "./connection.ts";
import type { ConnectionSource } from "./connection-source.ts";
import { lost, resetFault } from "./faults.ts";

/** Makes requests over HTTP/2. Each settles: with a response, or with a fault that names the server's address. */
export function createHttp2Client(baseUrl: string, connections: ConnectionSource): UniversalClientFn {
  return async (request) => {
    const url = new URL(request.url);
    const headers: OutgoingHttpHeaders = { ":method": request.method, ":path": url.pathname + url.search };
    request.header.forEach((value, name) => {
      headers[name] = value;
    });
    const options = { endStream: request.body === undefined };
    for (;;) {
      const connection = await connections.get(request.signal);
      // It may have closed since it was given out; what is asked of it then fails.
      if (connection.usable()) {
        return exchange(baseUrl, connection, connection.request(headers, options), request);
      }
    }
  };
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
  stream.on("trailers", (fields) => copyFields(fields, trailer));
  stream.once("response", (fields) => {
    header = copyFields(fields, new Headers());
    resolve({ status: fields[":status"] ?? 0, header, body: readBody(), trailer });
  });
  if (request.body !== undefined) {
    sendBody(stream, request.body).catch((error) => fail(ConnectError.from(error)));
  }

  function faultOfClosed(): ConnectError {
    if (stream.id === undefined) {
      // It was waiting for its turn: the server never saw it.
      return resetFault(baseUrl, constants.NGHTTP2_REFUSED_STREAM);
    }
    return connection.gone() ? lost(baseUrl) : resetFault(baseUrl, stream.rstCode);
  }

  async function* readBody(): AsyncGenerator<Uint8Array> {
    try {
      yield* stream.iterator({ destroyOnReturn: false });
    } catch (error) {
      throw failure ?? lost(baseUrl, error);
    } finally {
      if (!stream.closed && !stream.readableEnded) {
        stream.close(constants.NGHTTP2_CANCEL);
      }
    }
    // A stream that was cut off ends like one that is complete; only its reset code or the missing status tell.
    const reset = stream.rstCode !== undefined && stream.rstCode !== constants.NGHTTP2_NO_ERROR;
    const grpc = header?.get("content-type")?.startsWith("application/grpc") ?? false;
    const status = trailer.has("grpc-status") || header?.has("grpc-status");
    if (failure !== undefined || reset || (grpc && !status)) {
      throw failure ?? (reset ? faultOfClosed() : lost(baseUrl));
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
