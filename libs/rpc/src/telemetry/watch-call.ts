import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse } from "@connectrpc/connect";
import type { ClientCallSpan } from "./call-telemetry.ts";

/** Makes a call whose span ends with it. `started` is on the clock of `performance.now()`. */
export function watchUnary<T>(span: ClientCallSpan, started: number, make: () => Promise<T>): Promise<T> {
  const failed = (error: unknown) => {
    endFailed(span, started, error);
    throw error;
  };
  let result: Promise<T>;
  try {
    result = make();
  } catch (error) {
    return failed(error);
  }
  return result.then((value) => {
    span.end("ok", undefined, performance.now() - started);
    return value;
  }, failed);
}

/** Makes a call with streams whose span ends with its last message; where the caller stops reading before, as cancelled. */
export async function watchStream<I extends DescMessage, O extends DescMessage>(
  span: ClientCallSpan,
  started: number,
  make: () => Promise<StreamResponse<I, O>>,
): Promise<StreamResponse<I, O>> {
  try {
    const response = await make();
    return { ...response, message: watchMessages(span, started, response.message) };
  } catch (error) {
    endFailed(span, started, error);
    throw error;
  }
}

/** The messages, at the cost of one promise each: a generator around them would cost several. */
function watchMessages<T>(span: ClientCallSpan, started: number, messages: AsyncIterable<T>): AsyncIterable<T> {
  let ended = false;
  const end = (outcome: Code | "ok", error?: unknown) => {
    if (!ended) {
      ended = true;
      span.end(outcome, error, performance.now() - started);
    }
  };
  const failed = (error: unknown) => {
    end(ConnectError.from(error).code, error);
    throw error;
  };
  const taken = (result: IteratorResult<T>) => {
    if (result.done) {
      end("ok");
    }
    return result;
  };
  return {
    [Symbol.asyncIterator]() {
      const inner = messages[Symbol.asyncIterator]();
      const iterator: AsyncIterator<T> = { next: () => inner.next().then(taken, failed) };
      if (inner.return !== undefined) {
        iterator.return = (value) => {
          end(Code.Canceled);
          return inner.return?.(value) ?? Promise.resolve({ done: true, value });
        };
      }
      if (inner.throw !== undefined) {
        iterator.throw = (reason) => inner.throw?.(reason).then(taken, failed) ?? Promise.reject(reason);
      }
      return iterator;
    },
  };
}

function endFailed(span: ClientCallSpan, started: number, error: unknown): void {
  span.end(ConnectError.from(error).code, error, performance.now() - started);
}
