import { create, type DescMessage, type Message, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import type { Limits } from "../limits.ts";
import type { Turns } from "../shedding/turns.ts";
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
    /** Reads the request's message; asked for once the call is admitted. Tells `to` of it, or of what the caller gets instead, sooner or later. */
    receive(to: MessageReceiver): void;
    /** Goes on after `to.arrived`. */
    deliver?(): void;
    /** Sends the answer; throws what the caller gets instead if the message can't be sent. */
    respond(message: Message, context: UnaryContext): void;
    /** Sends a failure. */
    fail(error: ConnectError, context: UnaryContext): void;
    /** The caller has gone before it had an answer. */
    left(): void;
  };

/** Waits for a request's message. */
export type MessageReceiver = {
  /** All of it is here. `deliver` is called when it is the call's turn to be worked on. */
  arrived(): void;
  message(message: Message): void;
  fault(thrown: unknown): void;
};

/** A unary call under way. */
export type UnaryCall = {
  /** The caller has gone: the handler's signal aborts, and nothing more is sent. Does nothing once the call is over. */
  leave(): void;
};

/** What runs unary calls. */
export type UnaryCallsDeps = {
  lifecycle: Lifecycle;
  limits: Limits;
  interceptors: readonly Interceptor[];
  validation: boolean;
  /** When calls are worked on; at once if not given. */
  turns?: Turns | undefined;
};

/** Starts a call. It ends by itself: answered, out of time, or left. */
export type StartUnaryCall = (method: UnaryMethod, exchange: UnaryExchange, slot?: number) => UnaryCall;

// The longest that a timer of Node can wait; one set for longer fires at once.
const longestMs = 2 ** 31 - 1;

/**
 * Runs unary calls: admission, then the request's message, validation, interceptors, the handler, its answer; all within the deadline. What Connect's own pipeline does for a unary
 * call, without async iterables, `Headers`, `URL` and `AbortController` unless somebody asks for them (docs/rpc.md has the figures).
 */
export function createUnaryCalls(deps: UnaryCallsDeps): StartUnaryCall {
  const { lifecycle, limits, interceptors } = deps;

  // Each step calls the next one, at once if it can: a promise for each would cost as much as all of them.

  function receive(call: Running): void {
    if (call.badTimeout !== undefined) {
      fail(call, call.badTimeout);
    } else if (!call.record.ended) {
      call.exchange.receive(call);
    }
  }

  function arrived(call: Running): void {
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

  function deliver(call: Running): void {
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

  function received(call: Running): void {
    bodyIsHere(call);
    applyInCall(call.record, validateAndHandle, call);
  }

  function validateAndHandle(call: Running): void {
    try {
      const { received: message, method } = call;
      if (deps.validation && isValidated(method.method.parent) && message !== undefined) {
        const validating = validateMessage(method.method.input, message);
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

  function handle(call: Running): void {
    const { received: message, method, context } = call;
    if (message === undefined || call.record.ended) {
      return;
    }
    const answer =
      interceptors.length === 0
        ? method.unary.impl(message, context)
        : intercept(method.unary, message, context, interceptors);
    if (isPending(answer)) {
      void answerLater(call, answer);
    } else {
      respond(call, answer);
    }
  }

  async function answerLater(call: Running, answer: Promise<Answer>): Promise<void> {
    try {
      respond(call, await answer);
    } catch (thrown) {
      fail(call, thrown);
    }
  }

  /** Throws what the caller gets instead if the answer can't be sent. */
  function respond(call: Running, answer: Answer): void {
    if (!call.record.ended) {
      call.exchange.respond(create(call.method.method.output, answer), call.context);
      call.record.outcome ??= "ok";
      finish(call);
    }
  }

  /** The call ends with what was thrown, unless it has ended already. */
  function fail(call: Running, thrown: unknown): void {
    if (call.record.ended) {
      return;
    }
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
  function bodyIsHere(call: Running): void {
    if (call.reading) {
      call.reading = false;
      clearTimeout(call.timer);
      if (call.record.deadline !== undefined) {
        call.timer = setTimeout(expire, call.record.deadline - performance.now(), call);
      }
    }
  }

  function expire(call: Running): void {
    const message = call.reading
      ? `the request's body did not arrive within ${limits.unaryBodyMs / 1000} s`
      : "the operation timed out";
    fail(call, new ConnectError(message, Code.DeadlineExceeded));
  }

  const steps: Steps = { arrived, received, fail, leave };

  return (method, exchange, slot) => {
    const record = lifecycle.begin(method, exchange, exchange.protocol, slot);
    const call = new Running(method, exchange, record, steps);
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

function isPending(answer: Answer | Promise<Answer>): answer is Promise<Answer> {
  return "then" in answer && typeof answer.then === "function";
}

/** What becomes of a call next. */
type Steps = {
  arrived(call: Running): void;
  received(call: Running): void;
  fail(call: Running, thrown: unknown): void;
  leave(call: Running): void;
};

class Running implements UnaryCall, MessageReceiver {
  readonly method: UnaryMethod;
  readonly exchange: UnaryExchange;
  readonly record: CallRecord;
  readonly context: UnaryContext;
  readonly #steps: Steps;
  timer: NodeJS.Timeout | undefined = undefined;
  /** The timer is for the body's arrival, and the call itself has longer. */
  reading = false;
  badTimeout: ConnectError | undefined = undefined;
  /** The request's, once it is here. */
  received: Message | undefined = undefined;

  constructor(method: UnaryMethod, exchange: UnaryExchange, record: CallRecord, steps: Steps) {
    this.method = method;
    this.exchange = exchange;
    this.record = record;
    this.context = new UnaryContext(record, exchange);
    this.#steps = steps;
  }

  arrived(): void {
    if (!this.record.ended) {
      this.#steps.arrived(this);
    }
  }

  message(message: Message): void {
    if (!this.record.ended) {
      this.received = message;
      this.#steps.received(this);
    }
  }

  fault(thrown: unknown): void {
    this.#steps.fail(this, thrown);
  }

  leave(): void {
    this.#steps.leave(this);
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
