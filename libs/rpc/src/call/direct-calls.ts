import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { idempotencyKeyHeader } from "../idempotency/idempotency-key.ts";
import type { Limits } from "../limits.ts";
import type { Turns } from "../shedding/turns.ts";
import type { CallUnderWay } from "./call-exchange.ts";
import { applyInCall } from "./call-scope.ts";
import { createDeadlines } from "./deadlines.ts";
import { interceptUnary } from "./intercept-unary.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { type Answering, RunningCall, type Steps } from "./running-call.ts";
import type { MethodFacts } from "./served-method.ts";
import { isValidated, validateMessage } from "./validation.ts";

/** What runs calls. */
export type DirectCallsDeps = {
  lifecycle: Lifecycle;
  limits: Limits;
  interceptors: readonly Interceptor[];
  validation: boolean;
  /** When calls are worked on; at once if not given. */
  turns?: Turns | undefined;
  /** Answers unary calls that carry idempotency keys; runs around the other interceptors. */
  idempotency?: Interceptor | undefined;
};

/** Starts a call. It ends by itself: answered, out of time, or left. `slot`: the one that load shedding has given it. */
export type StartCall = (method: MethodFacts, answering: Answering, slot?: number) => CallUnderWay;

/**
 * Runs calls with one request message directly: admission, then the message, validation, interceptors (of unary calls), the handler, its answer; all within the deadline. What
 * Connect's own pipeline does, without async iterables, `Headers`, `URL` and `AbortController` unless somebody asks for them (docs/rpc.md has the figures).
 */
export function createDirectCalls(deps: DirectCallsDeps): StartCall {
  const { lifecycle, limits, interceptors, idempotency } = deps;
  const withKeys = idempotency === undefined ? interceptors : [idempotency, ...interceptors];

  // Each step calls the next one, at once if it can: a promise for each would cost as much as all of them.

  function receive(call: RunningCall): void {
    if (call.badTimeout !== undefined) {
      fail(call, call.badTimeout);
    } else if (!call.record.ended) {
      call.exchange.receive(call);
    }
  }

  function arrived(call: RunningCall): void {
    try {
      lifecycle.arrived(call.record);
    } catch (thrown) {
      fail(call, thrown);
      return;
    }
    if (deps.turns === undefined) {
      deliver(call);
    } else {
      deps.turns.defer(deliver, call);
    }
  }

  function deliver(call: RunningCall): void {
    if (call.record.ended) {
      return;
    }
    try {
      lifecycle.start(call.record);
      call.exchange.deliver?.();
    } catch (thrown) {
      fail(call, thrown);
    }
  }

  function received(call: RunningCall): void {
    bodyIsHere(call);
    applyInCall(call.record, validateAndHandle, call);
  }

  function validateAndHandle(call: RunningCall): void {
    try {
      const { input, parent } = call.answering.spec.method;
      if (deps.validation && isValidated(parent) && call.request !== undefined) {
        const validating = validateMessage(input, call.request);
        if (validating !== undefined) {
          validating.then(() => handle(call)).catch((thrown) => fail(call, thrown));
          return;
        }
      }
      handle(call);
    } catch (thrown) {
      fail(call, thrown);
    }
  }

  function handle(call: RunningCall): void {
    const { request, answering, context } = call;
    if (request === undefined || call.record.ended) {
      return;
    }
    if (answering.kind === "server_streaming") {
      void stream(call, answering.spec.impl(request, context), answering);
      return;
    }
    const { spec } = answering;
    const chain = call.record.request.header(idempotencyKeyHeader) === undefined ? interceptors : withKeys;
    const answer = chain.length === 0 ? spec.impl(request, context) : interceptUnary(spec, request, context, chain);
    if (isPending(answer)) {
      void respondLater(call, answer, answering);
    } else {
      respond(call, answer, answering);
    }
  }

  async function respondLater(call: RunningCall, answer: Promise<Answer>, unary: UnaryAnswering): Promise<void> {
    try {
      respond(call, await answer, unary);
    } catch (thrown) {
      fail(call, thrown);
    }
  }

  /** Throws what the caller gets instead if the answer can't be sent. */
  function respond(call: RunningCall, answer: Answer, { spec, exchange }: UnaryAnswering): void {
    if (!call.record.ended) {
      exchange.respond(create(spec.method.output, answer), call.context);
      succeed(call);
    }
  }

  async function stream(
    call: RunningCall,
    answers: AsyncIterable<Answer>,
    { spec, exchange }: StreamAnswering,
  ): Promise<void> {
    try {
      const iterator = answers[Symbol.asyncIterator]();
      const unwatch = untilDrain(call);
      call.stop = () => {
        unwatch();
        // Not awaited: a generator that waits for something else would keep us here.
        iterator.return?.().catch(() => {});
      };
      for (;;) {
        const { done, value } = await iterator.next();
        if (call.record.ended) {
          return;
        }
        if (done === true) {
          break;
        }
        const room = exchange.send(create(spec.method.output, value), call.context);
        if (room !== undefined) {
          await room;
          if (hasEnded(call)) {
            return;
          }
        }
      }
      exchange.finish(call.context);
      succeed(call);
    } catch (thrown) {
      fail(call, thrown);
    }
  }

  /** Ends a stream when the server starts to close. Health's Watch tells its watchers of that before it ends by itself. */
  function untilDrain(call: RunningCall): () => void {
    const { drain, method } = call.record;
    if (method.name.startsWith("grpc.health.")) {
      return () => {};
    }
    const end = () => fail(call, drain.reason);
    if (drain.aborted) {
      end();
    }
    drain.addEventListener("abort", end);
    return () => drain.removeEventListener("abort", end);
  }

  function succeed(call: RunningCall): void {
    call.record.outcome ??= "ok";
    finish(call);
  }

  /** The call ends with what was thrown, unless it has ended already. */
  function fail(call: RunningCall, thrown: unknown): void {
    if (call.record.ended) {
      return;
    }
    const error = lifecycle.toError(call.record, thrown);
    call.exchange.fail(error, call.context);
    finish(call, error);
  }

  function finish(call: RunningCall, reason?: ConnectError): void {
    deadlines.forget(call);
    lifecycle.end(call.record, Code.Canceled);
    call.context.end(reason);
    call.stop?.();
  }

  function leave(call: RunningCall): void {
    if (!call.record.ended) {
      call.exchange.left();
      finish(call, new ConnectError("the caller has gone", Code.Canceled));
    }
  }

  /** The body is here: from now on only the call's own deadline counts. */
  function bodyIsHere(call: RunningCall): void {
    if (call.reading) {
      call.reading = false;
      call.expiresAt = call.record.deadline ?? Number.POSITIVE_INFINITY;
    }
  }

  function expire(call: RunningCall): void {
    const message = call.reading
      ? `the request's body did not arrive within ${limits.unaryBodyMs / 1000} s`
      : "the operation timed out";
    fail(call, new ConnectError(message, Code.DeadlineExceeded));
  }

  const deadlines = createDeadlines(expire);
  const steps: Steps = { arrived, received, fail, leave };

  return (method, answering, slot) => {
    const { exchange } = answering;
    const record = lifecycle.begin(method, exchange.request, exchange.protocol, slot);
    const call = new RunningCall(answering, record, steps);
    const asked = exchange.timeout();
    if (asked instanceof ConnectError) {
      call.badTimeout = asked;
    }
    // A stream may take as long as its caller likes.
    const unasked = answering.kind === "unary" ? limits.callMs : Number.POSITIVE_INFINITY;
    const ms = typeof asked === "number" ? asked : unasked;
    if (Number.isFinite(ms)) {
      record.deadline = record.started + ms;
    }
    // Until the body is here, there may be less time than the call has.
    call.reading = ms > limits.unaryBodyMs;
    call.expiresAt = record.started + Math.min(ms, limits.unaryBodyMs);
    deadlines.watch(call);
    try {
      const admitting = lifecycle.admit(record, call.context);
      if (admitting === undefined) {
        receive(call);
      } else {
        admitting.then(() => receive(call)).catch((thrown) => fail(call, thrown));
      }
    } catch (thrown) {
      fail(call, thrown);
    }
    return call;
  };
}

type Answer = MessageInitShape<DescMessage>;
type UnaryAnswering = Extract<Answering, { kind: "unary" }>;
type StreamAnswering = Extract<Answering, { kind: "server_streaming" }>;

function isPending(answer: Answer | Promise<Answer>): answer is Promise<Answer> {
  return "then" in answer && typeof answer.then === "function";
}

/** Asked again after waiting, which the compiler doesn't know of. */
function hasEnded(call: RunningCall): boolean {
  return call.record.ended;
}
