import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { StreamResponse, Transport } from "@connectrpc/connect";
import type { Channel } from "../channel.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import { outcomeOf } from "./outcome.ts";
import { createReplay } from "./replay.ts";
import { retrySettings } from "./retry-decision.ts";

/**
 * Streams over a channel's endpoints. One that no server has seen is opened again, at another endpoint where there is one, as long as its first message is at hand: what comes later isn't
 * kept. Everything else that goes wrong is the caller's to judge.
 */
export function createStreamDispatch(channel: Channel, at: (endpoint: Endpoint) => Transport): Transport["stream"] {
  return async (method, signal, timeoutMs, header, input, values) => {
    const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    const remainingMs = () =>
      deadline === undefined ? undefined : Math.max(1, Math.ceil(deadline - performance.now()));
    const tried = new Set<Endpoint>();
    const replay = createReplay(input);
    try {
      for (let attempt = 1; ; attempt++) {
        const picked = channel.pick({ signal, deadline }, tried);
        // In the same step, so that the next pick knows of this one.
        const endpoint = picked instanceof Promise ? await picked : picked;
        tried.add(endpoint);
        channel.starting(endpoint, 1);
        try {
          const transport = at(endpoint);
          const response = await transport.stream(method, signal, remainingMs(), header, replay.messages(), values);
          channel.report(endpoint, 0, "ok");
          return channel.balanced ? watched(response, channel, endpoint) : response;
        } catch (error) {
          const outcome = outcomeOf(error);
          channel.report(endpoint, 0, outcome);
          const again = attempt === 1 || (channel.hasOther(tried) && attempt < retrySettings.unseenAttempts);
          if (outcome !== "unseen" || !again || !replay.possible() || signal?.aborted) {
            throw error;
          }
        } finally {
          channel.starting(endpoint, -1);
        }
      }
    } finally {
      replay.settle();
    }
  };
}

/** The response, which tells the channel when it breaks off. */
function watched<I extends DescMessage, O extends DescMessage>(
  response: StreamResponse<I, O>,
  channel: Channel,
  endpoint: Endpoint,
): StreamResponse<I, O> {
  const broken = (error: unknown): never => {
    if (outcomeOf(error) === "fault") {
      channel.report(endpoint, 0, "fault");
    }
    throw error;
  };
  return {
    stream: true,
    service: response.service,
    method: response.method,
    // These may be made when they are asked for.
    get header() {
      return response.header;
    },
    get trailer() {
      return response.trailer;
    },
    message: {
      [Symbol.asyncIterator]() {
        const inner = response.message[Symbol.asyncIterator]();
        const iterator: AsyncIterator<MessageShape<O>> = { next: () => inner.next().catch(broken) };
        if (inner.return !== undefined) {
          iterator.return = (value) => inner.return?.(value) ?? Promise.resolve({ done: true, value });
        }
        if (inner.throw !== undefined) {
          iterator.throw = (reason) => inner.throw?.(reason) ?? Promise.reject(reason);
        }
        return iterator;
      },
    },
  };
}
