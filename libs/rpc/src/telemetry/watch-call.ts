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

async function* watchMessages<T>(span: ClientCallSpan, started: number, messages: AsyncIterable<T>): AsyncGenerator<T> {
  let outcome: Code | "ok" = Code.Canceled;
  let failure: unknown;
  try {
    yield* messages;
    outcome = "ok";
  } catch (error) {
    failure = error;
    outcome = ConnectError.from(error).code;
    throw error;
  } finally {
    span.end(outcome, failure, performance.now() - started);
  }
}

function endFailed(span: ClientCallSpan, started: number, error: unknown): void {
  span.end(ConnectError.from(error).code, error, performance.now() - started);
}
