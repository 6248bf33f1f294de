import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalHandlerFn,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import type { Limits } from "../limits.ts";
import type { EndedCall } from "./access-log.ts";
import { type CallRecord, callRecordKey } from "./call-record.ts";
import { runInCall } from "./call-scope.ts";
import { withDeadline } from "./deadline-header.ts";
import { startSpan, traceparentHeader } from "./trace.ts";

/** What a call's handler needs. */
export type CallHandlerDeps = {
  /** Aborts when the server starts to close, with the error that streams end with. */
  drain: AbortSignal;
  limits: Limits;
  /** Called once for each call, when the last byte of its answer is out or its caller is gone. */
  onEnd(call: EndedCall): void;
  /** The protocol to log; what the request says if not given. */
  protocol?: string;
};

/** Puts the parts around Connect's handler that every call has: trace, default deadline, scope, the end of streams at shutdown, access log. */
export function createCallHandler(handler: UniversalHandler, deps: CallHandlerDeps): UniversalHandler {
  const unary = handler.method.methodKind === "unary";
  const method = `${handler.service.typeName}/${handler.method.name}`;
  // Health's Watch tells its watchers of the shutdown before it ends by itself.
  const endsWithDrain = !unary && !method.startsWith("grpc.health.");

  const handle: UniversalHandlerFn = async (request) => {
    const started = performance.now();
    const trace = startSpan(request.header.get(traceparentHeader));
    const scope = { trace, deadline: undefined, ended: false };
    const record: CallRecord = {
      scope,
      drain: deps.drain,
      protocol: deps.protocol ?? "",
      caller: "unknown",
      outcome: undefined,
    };
    let response: UniversalServerResponse | undefined;
    const end = () => {
      if (!scope.ended) {
        scope.ended = true;
        deps.onEnd({ method, milliseconds: performance.now() - started, record, response });
      }
    };
    try {
      response = await runInCall(scope, () =>
        handler({
          ...(unary ? asUnary(request, deps.limits) : { ...request, header: withDeadline(request.header, undefined) }),
          contextValues: (request.contextValues ?? createContextValues()).set(callRecordKey, record),
          signal: endsWithDrain ? AbortSignal.any([request.signal, deps.drain]) : request.signal,
        }),
      );
      if (response.body === undefined) {
        end();
        return response;
      }
      const body = response.body;
      return { ...response, body: runBody(body, <T>(step: () => T) => runInCall(scope, step), end) };
    } catch (error) {
      end();
      throw error;
    }
  };
  return Object.assign(handle, handler);
}

/** A unary request with a deadline, and with a body that ends in time. */
function asUnary(request: UniversalServerRequest, limits: Limits): UniversalServerRequest {
  const body = request.body;
  const streamed = typeof body === "object" && body !== null && Symbol.asyncIterator in body;
  return {
    ...request,
    header: withDeadline(request.header, Number.isFinite(limits.callMs) ? limits.callMs : undefined),
    body: streamed ? withinTime(body, limits.unaryBodyMs) : body,
  };
}

async function* withinTime(chunks: AsyncIterable<Uint8Array>, milliseconds: number): AsyncGenerator<Uint8Array> {
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const message = `the request's body did not arrive within ${milliseconds / 1000} s`;
  const timer = setTimeout(() => late.reject(new ConnectError(message, Code.DeadlineExceeded)), milliseconds);
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), late.promise]);
      if (next.done) {
        return;
      }
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The body, each step of it run on behalf of its call: an iterator otherwise runs on behalf of whoever asks it for more. */
function runBody(
  body: AsyncIterable<Uint8Array>,
  run: <T>(step: () => T) => T,
  end: () => void,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const inner = run(() => body[Symbol.asyncIterator]());
      const settle = async (step: () => Promise<IteratorResult<Uint8Array>>) => {
        try {
          const result = await run(step);
          if (result.done) {
            end();
          }
          return result;
        } catch (error) {
          end();
          throw error;
        }
      };
      const iterator: AsyncIterator<Uint8Array> = { next: () => settle(() => inner.next()) };
      if (inner.throw !== undefined) {
        iterator.throw = (reason) => settle(() => inner.throw?.(reason) ?? Promise.reject(reason));
      }
      if (inner.return !== undefined) {
        iterator.return = (value) => settle(() => inner.return?.(value) ?? Promise.resolve({ done: true, value }));
      }
      return iterator;
    },
  };
}
