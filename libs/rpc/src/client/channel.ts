import type { Logger } from "../logger.ts";
import { createBalancedChannel } from "./channel-balanced.ts";
import type { Address } from "./endpoint/address.ts";
import type { Endpoint } from "./endpoint/endpoint.ts";
import type { Lookup } from "./resolver.ts";
import type { Target } from "./target.ts";

/**
 * How an attempt ended, as far as it says something about its endpoint. `ok`: the server answered, be it with an error. `rejected`: it answered that it couldn't. `fault`: it didn't
 * answer. `late`: not in time. `unseen`: it never saw the call. `abandoned`: nobody waited for the answer any more.
 */
export type Outcome = "ok" | "rejected" | "fault" | "late" | "unseen" | "abandoned";

/** For whom an endpoint is picked. */
export type Picking = {
  signal: AbortSignal | undefined;
  /** On the clock of `performance.now()`. */
  deadline: number | undefined;
};

/** A target's endpoints: looked up, connected, balanced. */
export type Channel = {
  /** Whether there is something to choose. If not, nobody needs to measure calls. */
  readonly balanced: boolean;
  /**
   * The endpoint for a call, another than those in `avoid` where there is one. At once, but while a name is looked up for the first time, and while none of several endpoints is connected: then
   * when one is, within the call's deadline. Rejects as `unavailable` when the name has no address or the channel is closed.
   */
  pick(call: Picking, avoid?: ReadonlySet<Endpoint>): Endpoint | Promise<Endpoint>;
  /** Whether there is an endpoint besides these. */
  hasOther(than: ReadonlySet<Endpoint>): boolean;
  /** Calls are on their way to the endpoint (1), or have got there or nowhere (-1): for those that don't arrive in the same step as they are picked for. */
  starting(endpoint: Endpoint, change: 1 | -1): void;
  /** Notes how a call went: how it ended, and how slow it was in the terms of `MethodLatency`, 0 where that says nothing. */
  report(endpoint: Endpoint, slowness: number, outcome: Outcome): void;
  /** Aborts when the channel is closed: there is nothing to wait for any more. */
  readonly closed: AbortSignal;
  /** Closes all endpoints. Whoever waits fails, and so does who comes later. */
  close(): void;
};

/** What a channel needs. */
export type ChannelOptions = {
  target: Target;
  createEndpoint(address: Address): Endpoint;
  lookup: Lookup;
  logger?: Logger;
};

/** The endpoints of `target`. They connect when the first call comes. */
export function createChannel(options: ChannelOptions): Channel {
  const { source } = options.target;
  return source.kind === "fixed" && source.addresses.length === 1 && source.addresses[0] !== undefined
    ? createSingle(options.createEndpoint(source.addresses[0]))
    : createBalancedChannel(options);
}

function createSingle(endpoint: Endpoint): Channel {
  const closing = new AbortController();
  return {
    balanced: false,
    pick: () => endpoint,
    hasOther: () => false,
    starting() {},
    report() {},
    closed: closing.signal,
    close() {
      closing.abort();
      endpoint.close();
    },
  };
}
