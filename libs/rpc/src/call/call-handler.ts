import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalHandlerFn,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { codeFromHttpStatus } from "@connectrpc/connect/protocol-connect";
import type { Limits } from "../limits.ts";
import { callRecordKey, type HeaderSource } from "./call-record.ts";
import { runInCall } from "./call-scope.ts";
import { withDeadline } from "./deadline-header.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { MethodFacts } from "./served-method.ts";

/** What a call's handler needs. */
export type CallHandlerDeps = {
  lifecycle: Lifecycle;
  /** Aborts when the server starts to close, with the error that streams end with. */
  drain: AbortSignal;
  limits: Limits;
  /** The protocol to log; what the request says if not given. */
  protocol?: string;
};

/** Puts the parts around Connect's handler that every call has: record, default deadline, scope, the end of streams at shutdown. */
export function createCallHandler(
  facts: MethodFacts,
  handler: UniversalHandler,
  deps: CallHandlerDeps,
): UniversalHandler {
  const { lifecycle } = deps;
  const unary = handler.method.methodKind === "unary";
  // Health's Watch tells its watchers of the shutdown before it ends by itself.
  const endsWithDrain = !unary && !facts.name.startsWith("grpc.health.");

  const handle: UniversalHandlerFn = async (request) => {
    const record = lifecycle.begin(facts, sourceOf(request), deps.protocol ?? "");
    const end = (response?: UniversalServerResponse) => lifecycle.end(record, refusal(response));
    try {
      const response = await runInCall(record, () =>
        handler({
          ...(unary ? asUnary(request, deps.limits) : { ...request, header: withDeadline(request.header, undefined) }),
          contextValues: (request.contextValues ?? createContextValues()).set(callRecordKey, record),
          signal: endsWithDrain ? AbortSignal.any([request.signal, deps.drain]) : request.signal,
        }),
      );
      if (response.body === undefined) {
        end(response);
        return response;
      }
      const body = response.body;
      return {
        ...response,
        body: runBody(
          body,
          <T>(step: () => T) => runInCall(record, step),
          () => end(response),
        ),
      };
    } catch (error) {
      end();
      throw error;
    }
  };
  return Object.assign(handle, handler);
}

function sourceOf({ header, url }: UniversalServerRequest): HeaderSource {
  return {
    // `Headers` knows no pseudo-headers, and Connect has put the one that matters into the URL.
    header: (name) => (name === ":authority" ? URL.parse(url)?.host : (header.get(name) ?? undefined)),
  };
}

/** How a call ended that nobody of ours decided about: its caller left, or Connect refused it (its body isn't a message, say) before an interceptor saw it. */
function refusal(response: UniversalServerResponse | undefined): Code {
  if (response === undefined) {
    return Code.Canceled;
  }
  const grpcStatus = Number(response.trailer?.get("grpc-status") ?? 0);
  if (grpcStatus in Code) {
    return grpcStatus;
  }
  return response.status === 200 ? Code.Unknown : codeFromHttpStatus(response.status);
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
