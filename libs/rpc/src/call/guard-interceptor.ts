import { Code, type ContextValues, type Interceptor } from "@connectrpc/connect";
import { type CallRecord, callRecordKey } from "./call-record.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { untilAborted } from "./until-aborted.ts";

type Call = { contextValues: ContextValues; signal: AbortSignal };

/**
 * The outermost interceptor of calls that Connect runs: ends a call when its deadline passes or its caller leaves, even if the handler doesn't notice; maps
 * whatever is thrown; notes the outcome in the call's record.
 */
export function guardInterceptor(lifecycle: Lifecycle): Interceptor {
  return (next) => async (request) => {
    const call: Call = request;
    try {
      const record = call.contextValues.get(callRecordKey);
      if (record !== undefined) {
        lifecycle.arrived(record);
      }
      const response = await untilAborted(next(request), request.signal);
      if (response.stream) {
        return { ...response, message: guardStream(response.message, call, lifecycle) };
      }
      setOutcome(call, "ok");
      return response;
    } catch (thrown) {
      throw fault(lifecycle, call, thrown);
    }
  };
}

async function* guardStream<T>(messages: AsyncIterable<T>, call: Call, lifecycle: Lifecycle): AsyncGenerator<T> {
  const iterator = messages[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const result = await untilAborted(iterator.next(), call.signal);
      if (result.done) {
        ended = true;
        break;
      }
      yield result.value;
    }
    // A handler may answer its signal by returning; to the caller that must not look like the end of the stream.
    call.signal.throwIfAborted();
    setOutcome(call, "ok");
  } catch (thrown) {
    throw fault(lifecycle, call, thrown);
  } finally {
    if (!ended) {
      // Nothing was thrown where the reader left between two messages.
      setOutcome(call, Code.Canceled);
      // Not awaited: a generator that waits for something else would keep us here.
      iterator.return?.()?.catch(() => {});
    }
  }
}

function fault(lifecycle: Lifecycle, { contextValues, signal }: Call, thrown: unknown): unknown {
  const record = contextValues.get(callRecordKey);
  return record === undefined ? thrown : lifecycle.toError(record, thrown, signal);
}

/** Notes how the call ended, unless that is known already. */
function setOutcome(call: Call, outcome: CallRecord["outcome"]): void {
  const record = call.contextValues.get(callRecordKey);
  if (record !== undefined) {
    record.outcome ??= outcome;
  }
}
