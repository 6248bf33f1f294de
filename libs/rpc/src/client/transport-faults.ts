import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { lost } from "./faults.ts";

/** A transport that reports what goes wrong on the way as `unavailable`. */
export function withTransportFaults(inner: Transport, baseUrl: string): Transport {
  return {
    async unary(...call) {
      try {
        return await inner.unary(...call);
      } catch (error) {
        throw truthful(error, baseUrl);
      }
    },
    async stream(...call) {
      try {
        const response = await inner.stream(...call);
        return { ...response, message: truthfulStream(response.message, baseUrl) };
      } catch (error) {
        throw truthful(error, baseUrl);
      }
    },
  };
}

async function* truthfulStream<T>(messages: AsyncIterable<T>, baseUrl: string): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw truthful(error, baseUrl);
  }
}

/** Connect reports a reply that was cut off as `invalid_argument`, as if the caller were at fault: connect-es issue 1751. */
function truthful(error: unknown, baseUrl: string): unknown {
  if (error instanceof ConnectError && error.code === Code.InvalidArgument && !error.isWireError) {
    return lost(baseUrl, error);
  }
  return error;
}
