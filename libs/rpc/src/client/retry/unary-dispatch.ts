import type { Transport } from "@connectrpc/connect";
import type { Channel } from "../channel.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import type { Attempt, Dispatch } from "../unary/unary-call.ts";

/** Unary calls over a channel's endpoints, by the transport that `at` has for each. */
export function createUnaryDispatch(
  channel: Channel,
  dispatch: Dispatch,
  at: (endpoint: Endpoint) => Transport,
): Transport["unary"] {
  const unary: Transport["unary"] = (method, signal, timeoutMs, header, input, values) => {
    const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    const attempt: Attempt<Awaited<ReturnType<typeof call>>> = (endpoint, own, after) => {
      const response = call(endpoint, own?.signal ?? signal, own?.headers);
      return after === undefined
        ? response
        : response.then((value) => {
            after.answered();
            return value;
          }, after.failed);
    };
    const call = (endpoint: Endpoint, ends: AbortSignal | undefined, more: readonly string[] = []) => {
      const leftMs = deadline === undefined ? undefined : Math.max(1, Math.ceil(deadline - performance.now()));
      const headers = new Headers(header);
      for (let i = 0; i + 1 < more.length; i += 2) {
        headers.set(more[i] ?? "", more[i + 1] ?? "");
      }
      channel.starting(endpoint, 1);
      return at(endpoint)
        .unary(method, ends, leftMs, headers, input, values)
        .finally(() => channel.starting(endpoint, -1));
    };
    return dispatch(attempt, { method, deadline, signal, values });
  };
  return unary;
}
