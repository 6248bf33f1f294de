import type { Transport } from "@connectrpc/connect";
import type { Endpoint } from "../endpoint/endpoint.ts";
import type { ServerStreams } from "./server-stream.ts";

/** Transports that make server streams by `streams`, and other calls as `at` does. */
export function withServerStreams(
  at: (endpoint: Endpoint) => Transport,
  streams: ServerStreams,
): (endpoint: Endpoint) => Transport {
  return (endpoint) => {
    const { unary, stream } = at(endpoint);
    const { receive, url } = endpoint;
    return {
      unary,
      stream: (method, signal, timeoutMs, header, input, values) =>
        method.methodKind === "server_streaming" && receive !== undefined
          ? streams(receive, url, method, { signal, timeoutMs, header, input })
          : stream(method, signal, timeoutMs, header, input, values),
    };
  };
}
