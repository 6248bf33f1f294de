import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { lost, timedOut } from "./faults.ts";

/** A transport that reports what goes wrong on the way as `unavailable`. */
export function withTransportFaults(inner: Transport, baseUrl: string): Transport {
  return {
    async unary(...call) {
      const deadline = deadlineIn(call[2]);
      try {
        return await inner.unary(...call);
      } catch (error) {
        throw truthful(error, baseUrl, deadline);
      }
    },
    async stream(...call) {
      const deadline = deadlineIn(call[2]);
      try {
        const response = await inner.stream(...call);
        return { ...response, message: truthfulStream(response.message, baseUrl, deadline) };
      } catch (error) {
        throw truthful(error, baseUrl, deadline);
      }
    },
  };
}

async function* truthfulStream<T>(messages: AsyncIterable<T>, baseUrl: string, deadline: number): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw truthful(error, baseUrl, deadline);
  }
}

function deadlineIn(timeoutMs: number | undefined): number {
  return timeoutMs === undefined || timeoutMs <= 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
}

function truthful(error: unknown, baseUrl: string, deadline: number): unknown {
  if (error instanceof URIError) {
    // What Connect throws for a status message that isn't percent-encoded as it should be.
    return new ConnectError("the reply's status is malformed", Code.Internal, undefined, undefined, error);
  }
  if (!(error instanceof ConnectError) || error.isWireError) {
    return error;
  }
  if (error.code === Code.InvalidArgument) {
    // Connect reports a reply that was cut off as if the caller were at fault: connect-es issue 1751.
    return lost(baseUrl, error);
  }
  if (error.code === Code.Canceled && performance.now() >= deadline) {
    // The server cancelled the call because of its deadline, and its clock was quicker than our timer.
    return timedOut();
  }
  return error;
}
