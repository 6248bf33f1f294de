import { create, type DescMessage, type DescMethodUnary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ContextValues,
  createContextValues,
  type Interceptor,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { runUnaryCall } from "@connectrpc/connect/protocol";
import type { Channel } from "../channel.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import type { Attempt, Dispatch } from "../unary/unary-call.ts";

/** What unary calls by Connect's own transports need. */
export type UnaryDispatchOptions = {
  channel: Channel;
  dispatch: Dispatch;
  /** The transport to an endpoint. It has no interceptors: those are run once for a call, however often it is tried. */
  at: (endpoint: Endpoint) => Transport;
  interceptors: readonly Interceptor[];
  /** For interceptors to look at. */
  baseUrl: string;
};

/** Unary calls over a channel's endpoints, by Connect's own transports. */
export function createUnaryDispatch({ channel, dispatch, at, ...options }: UnaryDispatchOptions): Transport["unary"] {
  function send<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    deadline: number | undefined,
    headers: Headers,
    input: MessageInitShape<I>,
    values: ContextValues | undefined,
  ): Promise<UnaryResponse<I, O>> {
    const attempt: Attempt<UnaryResponse<I, O>> = async (endpoint, own, after) => {
      const leftMs = deadline === undefined ? undefined : Math.max(1, Math.ceil(deadline - performance.now()));
      channel.starting(endpoint, 1);
      let response: UnaryResponse<I, O>;
      try {
        const all = withMore(headers, own?.headers);
        response = await at(endpoint).unary(method, own?.signal ?? signal, leftMs, all, input, values);
      } catch (error) {
        if (after === undefined) {
          throw error;
        }
        return after.failed(error);
      } finally {
        channel.starting(endpoint, -1);
      }
      after?.answered();
      return response;
    };
    return dispatch(attempt, { method, deadline, signal, headers, values });
  }

  const unary: Transport["unary"] = (method, signal, timeoutMs, header, input, values) => {
    const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    const headers = new Headers(header);
    if (options.interceptors.length === 0) {
      return send(method, signal, deadline, headers, input, values);
    }
    return runUnaryCall({
      interceptors: [...options.interceptors],
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      req: {
        stream: false,
        service: method.parent,
        method,
        requestMethod: "POST",
        url: `${options.baseUrl}/${method.parent.typeName}/${method.name}`,
        header: headers,
        contextValues: values ?? createContextValues(),
        message: create(method.input, input),
      },
      next: (request) => send(method, request.signal, deadline, request.header, request.message, request.contextValues),
    });
  };
  return unary;
}

function withMore(headers: Headers, more: readonly string[] | undefined): Headers {
  const all = new Headers(headers);
  for (let i = 0; more !== undefined && i + 1 < more.length; i += 2) {
    all.set(more[i] ?? "", more[i + 1] ?? "");
  }
  return all;
}
