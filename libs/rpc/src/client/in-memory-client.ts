import { Code, ConnectError } from "@connectrpc/connect";
import {
  createAsyncIterable,
  type UniversalClientFn,
  type UniversalHandler,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { untilAborted } from "../call/until-aborted.ts";

/** Makes requests to handlers of this process. As over the wire, a handler hears of a caller that leaves, and what it still says goes nowhere. */
export function createInMemoryClient(handlers: readonly UniversalHandler[]): UniversalClientFn {
  const byPath = new Map(handlers.map((handler) => [handler.requestPath, handler]));
  return async (request) => {
    const path = new URL(request.url).pathname;
    const handler = byPath.get(path);
    if (handler === undefined) {
      throw new ConnectError(`there is nothing at ${path}`, Code.Unimplemented);
    }
    const signal = request.signal ?? new AbortController().signal;
    const answering = handler({
      httpVersion: "2.0",
      method: request.method,
      url: request.url,
      header: request.header,
      body: request.body ?? createAsyncIterable([]),
      signal,
    });
    try {
      const response = await untilAborted(answering, signal);
      signal.addEventListener("abort", () => discard(response), { once: true });
      return {
        status: response.status,
        header: new Headers(response.header),
        body: readUntilAborted(response, signal),
        trailer: new Headers(response.trailer),
      };
    } catch (error) {
      answering.then(discard, () => {});
      throw error;
    }
  };
}

async function* readUntilAborted(response: UniversalServerResponse, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const body = (response.body ?? createAsyncIterable([]))[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await untilAborted(body.next(), signal);
      if (result.done) {
        return;
      }
      yield result.value;
    }
  } finally {
    // Not awaited: a handler that waits for something else would keep its caller here.
    body.return?.().catch(() => {});
  }
}

function discard(response: UniversalServerResponse): void {
  response.body?.[Symbol.asyncIterator]()
    .return?.()
    .catch(() => {});
}
