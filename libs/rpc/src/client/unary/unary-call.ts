import { create, type DescMessage, type DescMethodUnary, type MessageShape } from "@bufbuild/protobuf";
import {
  type ContextValues,
  createContextValues,
  type Interceptor,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { runUnaryCall } from "@connectrpc/connect/protocol";
import { currentTrace, remainingMs } from "../../call/call-scope.ts";
import type { ClientCallSpan } from "../../telemetry/call-telemetry.ts";
import { watchUnary } from "../../telemetry/watch-call.ts";
import { type CallDefaults, type CallLabels, callTimeout } from "../call-defaults.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import { createRequestHeaders } from "./request-headers.ts";
import type { UnaryMethod, UnaryProtocol } from "./unary-protocol.ts";
import { LazyUnaryResponse } from "./unary-response.ts";

/** What one attempt may do differently from the call that it belongs to. */
export type AttemptOptions = {
  /** Ends this attempt only. */
  signal?: AbortSignal;
  /** More request headers: name, value, name, value. */
  headers?: readonly string[];
};

/** What follows from an attempt. Given with it, this costs a call that goes well no promise of its own. */
export type AfterAttempt<T> = {
  answered(): void;
  /** Goes on instead: resolves with what another attempt brings, or rejects. */
  failed(error: unknown): Promise<T>;
};

/** Tries a call at an endpoint; it can be tried again, or elsewhere. Rejects with the error that the server answered, or that kept it from answering. */
export type Attempt<T> = (endpoint: Endpoint, options?: AttemptOptions, after?: AfterAttempt<T>) => Promise<T>;

/** What is known of a call before it is tried. */
export type UnaryCallInfo = {
  method: UnaryMethod;
  /** When it must be over, on the clock of `performance.now()`. */
  deadline: number | undefined;
  signal: AbortSignal | undefined;
  /** Its request headers; as a list: name, value, name, value. */
  headers: readonly string[] | Headers;
  /** What the caller asks for besides. */
  values: ContextValues | undefined;
};

/** Chooses endpoints for a call, and how often it is tried. */
export type Dispatch = <T>(attempt: Attempt<T>, call: UnaryCallInfo) => Promise<T>;

/** How unary calls are made. */
export type UnaryOptions = CallDefaults & {
  protocol: UnaryProtocol;
  labels: CallLabels;
  dispatch: Dispatch;
  /** Milliseconds of calls that say nothing themselves. */
  timeoutMs: number;
  /** For interceptors to look at. */
  baseUrl: string;
  readMaxBytes: number;
  interceptors: readonly Interceptor[];
};

/** Connect's `Transport.unary`, straight over an endpoint's streams. */
export function createUnary(options: UnaryOptions): Transport["unary"] {
  const { protocol, dispatch, token, timeoutMs: defaultMs, interceptors, telemetry, labels } = options;
  const requestHeaders = createRequestHeaders(protocol);
  const maxBytes = options.readMaxBytes + protocol.overhead;
  const { refuse } = protocol;

  function send<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    headers: string[],
    body: Uint8Array,
    deadline: number | undefined,
    signal: AbortSignal | undefined,
    values: ContextValues | undefined,
  ): Promise<UnaryResponse<I, O>> {
    const attempt: Attempt<UnaryResponse<I, O>> = (endpoint, own, after) =>
      endpoint
        .unary({
          headers: own?.headers === undefined ? headers : headers.concat(own.headers),
          body,
          maxBytes,
          deadline,
          signal: own?.signal ?? signal,
          refuse,
        })
        .then((reply) => {
          let message: MessageShape<O>;
          try {
            message = protocol.read(method.output, reply, endpoint.url);
          } catch (error) {
            if (after === undefined) {
              throw error;
            }
            return after.failed(error);
          }
          after?.answered();
          return new LazyUnaryResponse(method, message, protocol, reply);
        }, after?.failed);
    return dispatch(attempt, { method, deadline, signal, headers, values });
  }

  const unary: Transport["unary"] = (method, signal, asked, given, input, contextValues) => {
    const call = (authorization: string | undefined) => {
      const timeoutMs = callTimeout(asked, defaultMs, remainingMs());
      if (telemetry === undefined) {
        return make(authorization, timeoutMs, undefined);
      }
      // One span for the call, however often it is tried.
      const started = performance.now();
      const span = telemetry.clientCall(method, labels.protocol, labels.server);
      return watchUnary(span, started, () => make(authorization, timeoutMs, span));
    };

    const make = (
      authorization: string | undefined,
      timeoutMs: number | undefined,
      span: ClientCallSpan | undefined,
    ) => {
      const headers = requestHeaders(method, { timeoutMs, trace: currentTrace(), span, authorization, given });
      if (interceptors.length > 0) {
        return intercepted(method, headers, timeoutMs);
      }
      const body = protocol.serialize(method.input, create(method.input, input));
      return send(method, headers, body, deadlineIn(timeoutMs), signal, contextValues);
    };

    const intercepted = (of: typeof method, headers: string[], timeoutMs: number | undefined) => {
      const [fields, pseudo] = split(headers);
      const deadline = deadlineIn(timeoutMs);
      return runUnaryCall({
        interceptors: [...interceptors],
        ...(signal === undefined ? {} : { signal }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        req: {
          stream: false,
          service: of.parent,
          method: of,
          requestMethod: "POST",
          url: `${options.baseUrl}/${of.parent.typeName}/${of.name}`,
          header: fields,
          contextValues: contextValues ?? createContextValues(),
          message: input,
        },
        next: async (request) => {
          const body = protocol.serialize(of.input, request.message);
          const headers = [...pseudo, ...[...request.header].flat()];
          const response = await send(of, headers, body, deadline, request.signal, request.contextValues);
          const { stream, service, message, header, trailer } = response;
          // A plain object, as interceptors like to spread it.
          return { stream, service, method: of, message, header, trailer };
        },
      });
    };

    try {
      if (typeof token === "function") {
        return token(signal).then((value) => call(`Bearer ${value}`));
      }
      return call(token === undefined ? undefined : `Bearer ${token}`);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return unary;
}

function deadlineIn(timeoutMs: number | undefined): number | undefined {
  return timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
}

/** Header fields, and the pseudo-headers before them. */
function split(headers: string[]): [Headers, string[]] {
  const fields = new Headers();
  const pseudo: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const [name = "", value = ""] = headers.slice(at, at + 2);
    if (name.startsWith(":")) {
      pseudo.push(name, value);
    } else {
      fields.append(name, value);
    }
  }
  return [fields, pseudo];
}
