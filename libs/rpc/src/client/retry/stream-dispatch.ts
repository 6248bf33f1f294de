import type { Transport } from "@connectrpc/connect";
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
          return channel.balanced ? { ...response, message: watched(response.message, channel, endpoint) } : response;
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

async function* watched<T>(messages: AsyncIterable<T>, channel: Channel, endpoint: Endpoint): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome === "fault") {
      channel.report(endpoint, 0, outcome);
    }
    throw error;
  }
}
