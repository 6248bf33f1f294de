import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "../logger.ts";
import { createBalancer, createLoad, type Load, observeAnswer, observeAtLeast } from "./balancer.ts";
import { type Address, formatAddress } from "./endpoint/address.ts";
import type { Endpoint } from "./endpoint/endpoint.ts";
import { unreachable } from "./faults.ts";
import { createHealth, createOutlierEjection, type Health } from "./outlier-ejection.ts";
import { createResolver, type Lookup, type Resolver } from "./resolver.ts";
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
   * The endpoint for a call, another than those in `avoid` where there is one. At once, but while a name is looked up for the first time: then when that is done, within the call's deadline.
   * Rejects as `unavailable` when the name has no address or the channel is closed.
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

type Member = Load<Endpoint> & Health & { wokenAt: number };

const gone = new Error("this transport is closed");

/** A call that failed counts as one that took this many times as long as usual: endpoints that fail quickly must not look quick. */
const failedSlowness = 4;
/** Milliseconds between attempts to connect to an endpoint that no call waits for. Its pool spaces them out as well. */
const wakeEveryMs = 1_000;

/** The endpoints of `target`. They connect when the first call comes. */
export function createChannel(options: ChannelOptions): Channel {
  const { source } = options.target;
  return source.kind === "fixed" && source.addresses.length === 1 && source.addresses[0] !== undefined
    ? createSingle(options.createEndpoint(source.addresses[0]))
    : createBalanced(options);
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

function createBalanced({ target, createEndpoint, lookup, logger }: ChannelOptions): Channel {
  const { source } = target;
  const balancer = createBalancer<Endpoint>();
  const ejection = createOutlierEjection<Member>(performance.now());
  const byEndpoint = new Map<Endpoint, Member>();
  const leaving = new Set<Endpoint>();
  let members: Member[] = [];
  let resolver: Resolver | undefined;
  let arrival = Promise.withResolvers<void>();
  arrival.promise.catch(() => {});
  let fault: unknown;
  const closing = new AbortController();

  function update(addresses: readonly Address[]): void {
    const before = new Map(members.map((member) => [formatAddress(member.endpoint.address), member]));
    members = addresses.map((address) => {
      const name = formatAddress(address);
      const known = before.get(name);
      before.delete(name);
      return known ?? join(createEndpoint(address));
    });
    for (const { endpoint } of before.values()) {
      byEndpoint.delete(endpoint);
      leaving.add(endpoint);
      endpoint.drain();
    }
    for (const endpoint of leaving) {
      if (endpoint.inFlight === 0) {
        leaving.delete(endpoint);
      }
    }
    fault = undefined;
    arrival.resolve();
  }

  function join(endpoint: Endpoint): Member {
    const now = performance.now();
    const member: Member = { ...createLoad(endpoint, now), ...createHealth(), wokenAt: Number.NEGATIVE_INFINITY };
    byEndpoint.set(endpoint, member);
    return member;
  }

  function fail(error: unknown): void {
    fault = error;
    arrival.reject(unreachable(target.name, error));
    arrival = Promise.withResolvers();
    arrival.promise.catch(() => {});
  }

  function start(): void {
    if (closing.signal.aborted) {
      return;
    }
    if (source.kind === "fixed") {
      update(source.addresses);
      return;
    }
    resolver ??= createResolver({
      host: source.host,
      lookup,
      onAddresses(hosts) {
        if (members.length > 0) {
          logger?.info({ target: target.name, addresses: hosts }, "its addresses have changed");
        }
        update(hosts.map((host) => ({ host, port: source.port })));
      },
      onFault(error) {
        if (fault === undefined) {
          logger?.warn({ target: target.name }, unreachable(target.name, error).rawMessage);
        }
        fail(error);
      },
    });
  }

  let now = 0;
  /** Whom to prefer. Connections are made beside the calls, where any call can do without. */
  function tierOf(member: Member): number {
    const { state } = member.endpoint;
    if (state !== "ready" && state !== "connecting" && now - member.wokenAt >= wakeEveryMs) {
      member.wokenAt = now;
      member.endpoint.connect();
    }
    if (member.ejectedUntil > now) {
      return state === "ready" ? 2 : 4;
    }
    return state === "ready" ? 0 : state === "backoff" ? 3 : 1;
  }

  function choose(avoid: ReadonlySet<Endpoint> | undefined): Endpoint | undefined {
    now = performance.now();
    return balancer.pick(members, tierOf, now, avoid)?.endpoint;
  }

  /** For a call that comes before the addresses do. */
  async function chooseLater(call: Picking, avoid: ReadonlySet<Endpoint> | undefined): Promise<Endpoint> {
    resolver?.refresh();
    if (fault !== undefined) {
      // There is no telling when the next look-up succeeds; this call can be told why now.
      throw unreachable(target.name, fault);
    }
    await within(arrival.promise, call);
    const chosen = choose(avoid);
    if (chosen === undefined) {
      throw unreachable(target.name, gone);
    }
    return chosen;
  }

  return {
    balanced: true,
    pick(call, avoid) {
      if (members.length === 0) {
        start();
      }
      return choose(avoid) ?? chooseLater(call, avoid);
    },
    hasOther: (than) => members.some(({ endpoint }) => !than.has(endpoint)),
    starting(endpoint, change) {
      const member = byEndpoint.get(endpoint);
      if (member !== undefined) {
        member.starting += change;
      }
    },
    report(endpoint, slowness, outcome) {
      const member = byEndpoint.get(endpoint);
      if (member === undefined) {
        return;
      }
      const at = performance.now();
      switch (outcome) {
        case "ok":
          ejection.success(member);
          if (slowness > 0) {
            observeAnswer(member, slowness, at);
          }
          break;
        case "unseen":
          resolver?.refresh();
          break;
        case "abandoned":
          observeAtLeast(member, slowness, at);
          break;
        default:
          observeAtLeast(member, Math.max(slowness, failedSlowness, member.slowness * 1.5), at);
          if (outcome !== "rejected") {
            resolver?.refresh();
            if (ejection.fault(member, members, at)) {
              logger?.warn({ url: endpoint.url }, "gets no calls for a while: it fails and others don't");
            }
          }
      }
      for (const { endpoint: other } of ejection.compare(members, at)) {
        logger?.warn({ url: other.url }, "gets no calls for a while: it fails more often than others");
      }
    },
    closed: closing.signal,
    close() {
      closing.abort();
      resolver?.close();
      for (const endpoint of [...byEndpoint.keys(), ...leaving]) {
        endpoint.close();
      }
      members = [];
      fail(gone);
    },
  };
}

/** The promise's result, within a call's time. */
async function within<T>(promise: Promise<T>, { signal, deadline }: Picking): Promise<T> {
  const over = Promise.withResolvers<never>();
  const abort = () => over.reject(ConnectError.from(signal?.reason, Code.Canceled));
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(
          () => over.reject(new ConnectError("the operation timed out", Code.DeadlineExceeded)),
          Math.max(0, Math.min(deadline - performance.now(), 2 ** 31 - 1)),
        );
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) {
    abort();
  }
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
