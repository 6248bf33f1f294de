import { createBalancer, createLoad, type Load, observeAnswer, observeAtLeast, observeOpening } from "./balancer.ts";
import type { Channel, ChannelOptions, Picking } from "./channel.ts";
import { firstFew, withinCall } from "./channel-wait.ts";
import { type Address, formatAddress } from "./endpoint/address.ts";
import type { Endpoint } from "./endpoint/endpoint.ts";
import { unreachable } from "./faults.ts";
import { createHealth, createOutlierEjection, type Health } from "./outlier-ejection.ts";
import { createResolver, type Resolver } from "./resolver.ts";

type Member = Load<Endpoint> & Health & { wokenAt: number };

const gone = new Error("this transport is closed");

/** A call that failed counts as one that took this many times as long as usual: endpoints that fail quickly must not look quick. */
const failedSlowness = 4;
/** Milliseconds between attempts to connect to an endpoint that no call waits for. Its pool spaces them out as well. */
const wakeEveryMs = 250;

/** A channel whose endpoints come and go with the addresses of its target. */
export function createBalancedChannel({ target, createEndpoint, lookup, logger }: ChannelOptions): Channel {
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
  let connected: Promise<void> | undefined;
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
        if (fault !== undefined || members.length > 0) {
          const change = fault === undefined ? "its addresses have changed" : "its name can be looked up again";
          logger?.info({ target: target.name, addresses: hosts }, change);
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
      void member.endpoint.connect();
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

  /** Whether it is better to wait than to bind a call to this endpoint, which may turn out not to be there. */
  function undecided({ state }: Endpoint): boolean {
    return members.length > 1 && (state === "connecting" || state === "idle");
  }

  /** For a call that comes before the addresses do, or before any of them is connected. */
  async function chooseLater(call: Picking, avoid: ReadonlySet<Endpoint> | undefined): Promise<Endpoint> {
    if (members.length === 0) {
      resolver?.refresh();
      if (fault !== undefined) {
        // There is no telling when the next look-up succeeds; this call can be told why now.
        throw unreachable(target.name, fault);
      }
      await withinCall(arrival.promise, call);
    }
    let waited = false;
    for (;;) {
      const chosen = choose(avoid);
      if (chosen === undefined) {
        throw unreachable(target.name, gone);
      }
      const hopeless = !members.some(({ endpoint: { state } }) => state === "ready" || state === "connecting");
      if (!undecided(chosen) || (waited && hopeless)) {
        announce(chosen);
        return chosen;
      }
      await withinCall(nextConnected(), call);
      waited = true;
    }
  }

  /** Lets the next pick know of a call that begins only when others that waited have been given their endpoints, too. */
  function announce(endpoint: Endpoint): void {
    const member = byEndpoint.get(endpoint);
    if (member !== undefined) {
      member.starting++;
      setImmediate(() => member.starting--);
    }
  }

  /** Settles when the next attempts to connect are over: the first of them, and others that take little longer, lest all calls that wait go to one endpoint. */
  function nextConnected(): Promise<void> {
    connected ??= firstFew(
      members.filter(({ endpoint }) => undecided(endpoint)).map(({ endpoint }) => endpoint.connect()),
    ).finally(() => {
      connected = undefined;
    });
    return connected;
  }

  return {
    balanced: true,
    pick(call, avoid) {
      if (members.length === 0) {
        start();
      }
      const chosen = choose(avoid);
      return chosen === undefined || undecided(chosen) ? chooseLater(call, avoid) : chosen;
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
          } else {
            observeOpening(member);
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
