import { Code, ConnectError } from "@connectrpc/connect";

/** gRPC's header that tells a client when to try again (proposal A6), in milliseconds. */
export const pushbackHeader = "grpc-retry-pushback-ms";

const shortestMs = 200;
const variants = 16;
const stepMs = 50;

/**
 * What a refused caller gets. `unavailable`, not `resource_exhausted`: it isn't the caller's quota, the call was never started, and whatever retries
 * calls may try this one again, on another server at once or here a little later. Made once, because a server that has no time must refuse at next to no cost, and with the
 * first refusal, because `Headers` load Node's fetch client, which a start shouldn't wait for; several, so that those refused together don't come back together.
 */
export function createRefusals(random: () => number = Math.random): () => ConnectError {
  const make = (_: unknown, index: number) => {
    const pushbackMs = shortestMs + index * stepMs;
    const metadata = new Headers({ [pushbackHeader]: String(pushbackMs), "retry-after": index % 2 === 0 ? "1" : "2" });
    const message = "this server has more to do than it can do in time; try again in a moment";
    return Object.freeze(new ConnectError(message, Code.Unavailable, metadata));
  };
  let errors: ConnectError[] = [];
  return () => {
    if (errors.length === 0) errors = Array.from({ length: variants }, make);
    const error = errors[Math.floor(random() * variants)];
    if (error === undefined) throw new Error("no refusals");
    return error;
  };
}
