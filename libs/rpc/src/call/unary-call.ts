import { create, type DescMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import type { Limits } from "../limits.ts";
import type { CallRecord, HeaderSource } from "./call-record.ts";
import { applyInCall } from "./call-scope.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { ServedMethod, UnarySpec } from "./served-method.ts";
import { type RequestFacts, UnaryContext } from "./unary-context.ts";
import { isValidated, validateMessage } from "./validation.ts";

/** A unary method, certain to have an implementation. */
export type UnaryMethod = ServedMethod & { readonly unary: UnarySpec };

/** What brings a unary call and takes its answer, for one protocol and one way there. One of `respond`, `fail` and `left` is called last, once. */
export type UnaryExchange = RequestFacts &
  HeaderSource & {
    /** The protocol's name in logs and to handlers. */
    readonly protocol: string;
    /** Milliseconds that the caller gives the call; undefined if it doesn't say; the error if what it says can't be read. */
    timeout(): number | ConnectError | undefined;
    /** The request's message. Asked for once the call is admitted; what it throws goes to the caller. */
    receive(): Message | Promise<Message>;
    /** Sends the answer; throws what the caller gets instead if the message can't be sent. */
    respond(message: Message, context: UnaryContext): void;
    /** Sends a failure. */
    fail(error: ConnectError, context: UnaryContext): void;
    /** The caller has gone before it had an answer. */
    left(): void;
  };

/** A unary call under way. */
export type UnaryCall = {
  readonly over: boolean;
  /** The caller has gone: the handler's signal aborts, and nothing more is sent. Does nothing once the call is over. */
  leave(): void;
};

/** What runs unary calls. */
export type UnaryCallsDeps = {
  lifecycle: Lifecycle;
  limits: Limits;
  interceptors: readonly Interceptor[];
  validation: boolean;
};

/** Starts a call. It ends by itself: answered, out of time, or left. */
export type StartUnaryCall = (method: UnaryMethod, exchange: UnaryExchange) => UnaryCall;

// The longest that a timer of Node can wait; one set for longer fires at once.
const longestMs = 2 ** 31 - 1;

/**
 * Runs unary calls: admission, then the request's message, validation, interceptors, the handler, its answer; all within the deadline. What Connect's own pipeline does for a unary
 * call, without async iterables, `Headers`, `URL` and `AbortController` unless somebody asks for them (docs/rpc.md has the figures).
 */
export function createUnaryCalls(deps: UnaryCallsDeps): StartUnaryCall {
  const { lifecycle, limits, interceptors } = deps;

  async function run(call: Running): Promise<void> {
    const { record, context, exchange, method } = call;
    try {
      const admitting = lifecycle.admit(record, context);
      if (admitting !== undefined) {
        await admitting;
      }
      if (call.badTimeout !== undefined) {
        throw call.badTimeout;
      }
      const receiving = exchange.receive();
      const message = receiving instanceof Promise ? await receiving : receiving;
      if (record.ended) {
        return;
      }
      received(call);
      if (deps.validation && isValidated(method.method.parent)) {
        const validating = validateMessage(method.method.input, message);
        if (validating !== undefined) {
          await validating;
        }
      }
      const answer =
        interceptors.length === 0
          ? await method.unary.impl(message, context)
          : await intercept(method.unary, message, context, interceptors);
      // `ended` may have changed meanwhile, which the compiler doesn't see.
      if (!hasEnded(record)) {
        exchange.respond(create(method.method.output, answer), context);
        record.outcome ??= "ok";
        finish(call);
      }
    } catch (thrown) {
      if (!record.ended) {
        fail(call, thrown);
      }
    }
  }

  function fail(call: Running, thrown: unknown): void {
    const error = lifecycle.toError(call.record, thrown);
    call.exchange.fail(error, call.context);
    finish(call, error);
  }

  function finish(call: Running, reason?: ConnectError): void {
    clearTimeout(call.timer);
    lifecycle.end(call.record, Code.Canceled);
    call.context.end(reason);
  }

  function leave(call: Running): void {
    if (!call.record.ended) {
      call.exchange.left();
      finish(call, new ConnectError("the caller has gone", Code.Canceled));
    }
  }

  /** The body is here: from now on only the call's own deadline counts. */
  function received(call: Running): void {
    if (call.reading) {
      call.reading = false;
      clearTimeout(call.timer);
      if (call.record.deadline !== undefined) {
        call.timer = setTimeout(expire, call.record.deadline - performance.now(), call);
      }
    }
  }

  function expire(call: Running): void {
    if (!call.record.ended) {
      const message = call.reading
        ? `the request's body did not arrive within ${limits.unaryBodyMs / 1000} s`
        : "the operation timed out";
      const error = new ConnectError(message, Code.DeadlineExceeded);
      // Before the answer, so that whatever the handler does about it comes after the call has ended.
      fail(call, error);
    }
  }

  return (method, exchange) => {
    const record = lifecycle.begin(method, exchange, exchange.protocol);
    const call = new Running(method, exchange, record, leave);
    const asked = exchange.timeout();
    if (asked instanceof ConnectError) {
      call.badTimeout = asked;
    }
    const ms = typeof asked === "number" ? Math.min(asked, longestMs) : limits.callMs;
    if (Number.isFinite(ms)) {
      record.deadline = record.started + ms;
    }
    // One timer for both: until the body is here, it may have less time than the call.
    call.reading = ms > limits.unaryBodyMs;
    call.timer = setTimeout(expire, call.reading ? limits.unaryBodyMs : coarse(ms), call);
    void applyInCall(record, run, call);
    return call;
  };
}

class Running implements UnaryCall {
  readonly method: UnaryMethod;
  readonly exchange: UnaryExchange;
  readonly record: CallRecord;
  readonly context: UnaryContext;
  readonly #leave: (call: Running) => void;
  timer: NodeJS.Timeout | undefined = undefined;
  /** The timer is for the body's arrival, and the call itself has longer. */
  reading = false;
  badTimeout: ConnectError | undefined = undefined;

  constructor(method: UnaryMethod, exchange: UnaryExchange, record: CallRecord, leave: (call: Running) => void) {
    this.method = method;
    this.exchange = exchange;
    this.record = record;
    this.context = new UnaryContext(record, exchange);
    this.#leave = leave;
  }

  get over(): boolean {
    return this.record.ended;
  }

  leave(): void {
    this.#leave(this);
  }
}

/**
 * Node keeps a list of timers for each duration, and callers send what they have left: any number of milliseconds. Up to 6 % more than asked keeps
 * the lists few and their timers cheap. It is the caller who must give up in time; this ends what nobody waits for any more.
 */
function coarse(ms: number): number {
  if (ms < 32) {
    return ms;
  }
  const step = 2 ** (Math.floor(Math.log2(ms)) - 4);
  return Math.ceil(ms / step) * step;
}

function hasEnded(record: CallRecord): boolean {
  return record.ended;
}

type AnyFn = Parameters<Interceptor>[0];

/** Runs the handler inside Connect's interceptors. */
async function intercept(
  spec: UnarySpec,
  message: MessageShape<DescMessage>,
  context: UnaryContext,
  interceptors: readonly Interceptor[],
): Promise<Message> {
  const handle: AnyFn = async (request) => {
    if (request.stream) {
      throw new ConnectError("an interceptor made a stream of a unary call", Code.Internal);
    }
    const answer = await spec.impl(request.message, changed(context, request));
    return {
      stream: false,
      service: request.service,
      method: spec.method,
      header: context.responseHeader,
      trailer: context.responseTrailer,
      message: create(spec.method.output, answer),
    };
  };
  const next = interceptors.reduceRight((inner, interceptor) => interceptor(inner), handle);
  const response = await next({
    stream: false,
    service: spec.method.parent,
    method: spec.method,
    requestMethod: context.requestMethod,
    url: context.url,
    signal: context.signal,
    header: context.requestHeader,
    contextValues: context.values,
    message,
  });
  if (response.stream) {
    throw new ConnectError("an interceptor made a stream of a unary call", Code.Internal);
  }
  context.responseHeader = response.header;
  context.responseTrailer = response.trailer;
  return response.message;
}

/** The context for the handler, with what interceptors have put in the place of the request's own. */
function changed(context: UnaryContext, request: Parameters<AnyFn>[0]): HandlerContext {
  if (
    request.header === context.requestHeader &&
    request.signal === context.signal &&
    request.contextValues === context.values
  ) {
    return context;
  }
  return {
    method: context.method,
    service: request.service,
    requestMethod: context.requestMethod,
    url: context.url,
    protocolName: context.protocolName,
    timeoutMs: context.timeoutMs,
    requestHeader: request.header,
    signal: request.signal,
    values: request.contextValues,
    get responseHeader() {
      return context.responseHeader;
    },
    get responseTrailer() {
      return context.responseTrailer;
    },
  };
}
