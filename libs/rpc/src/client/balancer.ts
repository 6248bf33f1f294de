/** What the balancer asks of an endpoint. */
export type Busy = { readonly inFlight: number };

/** What the balancer knows of one endpoint. Only this file writes into it, but for `starting`. */
export type Load<E extends Busy> = {
  readonly endpoint: E;
  /** Calls that are on their way to the endpoint and that it doesn't know of yet. */
  starting: number;
  /** How slow it was of late, sensitive to peaks: how many times as slow as usual. 0 before its first answer. */
  slowness: number;
  /** Calls that it had in flight while it was that slow. */
  crowd: number;
  /** When it last answered, on the clock of `now`. */
  observedAt: number;
  /** Calls that it has answered, up to `slowStartCalls`. */
  answered: number;
  /** When it was last picked. */
  pickedAt: number;
  /** What the pick under way has found out: its tier, how long one more call would take, and the cost that equals are told apart by. */
  tier: number;
  promise: number;
  cost: number;
};

export const balancerSettings = {
  /** Mean lifetime of what was observed, in milliseconds. */
  decayMs: 1_000,
  /** Endpoints are chosen from only while they promise to take no longer than this many times what the quickest does. */
  within: 1.5,
  /** One that isn't worth picking is tried again once it was left alone for this long, in milliseconds … */
  probeAfterMs: 1_000,
  /** … and after this many calls without such a trial: what slow endpoints can spoil stays well below 1 %, at any rate of calls. */
  callsPerProbe: 256,
  /** A new endpoint takes no more calls at once than it has answered, plus one, until it has answered this many: the slow start of TCP. */
  slowStartCalls: 64,
};

// Above any cost: an endpoint that has its fill comes after those that don't.
const full = 1e100;
// What failures can make of an endpoint at most, so that it can come back.
const worst = 1e6;
// Endpoints to avoid come right after the others of their tier.
const avoided = 0.5;

/** What is known of an endpoint at first: nothing. */
export function createLoad<E extends Busy>(endpoint: E, now: number): Load<E> {
  return {
    endpoint,
    starting: 0,
    slowness: 0,
    crowd: 0,
    observedAt: now,
    answered: 0,
    pickedAt: now,
    tier: 0,
    promise: 0,
    cost: 0,
  };
}

/** Picks the endpoint that will probably answer first. */
export type Balancer<E extends Busy> = {
  /**
   * The best of `loads`, in two passes and without allocating; undefined if there is none. `tierOf` sorts before anything else: the lowest number wins, `Infinity` is
   * out. Those in `avoid` come after the others of their tier; tiers are whole numbers. `now` in milliseconds.
   */
  pick<L extends Load<E>>(
    loads: readonly L[],
    tierOf: (load: L) => number,
    now: number,
    avoid?: ReadonlySet<E>,
  ): L | undefined;
};

/**
 * Least loaded by peak EWMA: the cost of an endpoint is the peak-sensitive moving average of its latency × (calls in flight + 1). The formula is Finagle's
 * (finagle-core, `loadbalancer/PeakEwma.scala`); linkerd and Envoy took it over. Two things differ. An endpoint that would take `within` times as long
 * as the quickest isn't picked, however idle: by the formula alone, others that queue let a slow one keep all of its (small) share, and the 99th percentile is
 * its latency then. And nothing decays while nothing is observed: slow endpoints are tried again after a number of calls, so that they spoil the
 * same small share at any rate of calls. balancer.test.ts simulates both.
 */
export function createBalancer<E extends Busy>(settings = balancerSettings): Balancer<E> {
  let turn = 0;
  let callsSinceProbe = 0;

  return {
    pick(loads, tierOf, now, avoid) {
      const count = loads.length;
      let tier = Number.POSITIVE_INFINITY;
      let quickest = Number.POSITIVE_INFINITY;
      let stalest: (typeof loads)[number] | undefined;
      for (const load of loads) {
        load.tier = tierOf(load) + (avoid?.has(load.endpoint) ? avoided : 0);
        if (load.tier < tier) {
          tier = load.tier;
          quickest = Number.POSITIVE_INFINITY;
          stalest = undefined;
        }
        if (load.tier === tier && tier < Number.POSITIVE_INFINITY) {
          estimate(load, settings.slowStartCalls);
          quickest = Math.min(quickest, load.promise);
          if (stalest === undefined || load.pickedAt < stalest.pickedAt) {
            stalest = load;
          }
        }
      }
      if (stalest === undefined) {
        return undefined;
      }

      let best = stalest;
      callsSinceProbe++;
      if (callsSinceProbe > settings.callsPerProbe && now - stalest.pickedAt > settings.probeAfterMs) {
        callsSinceProbe = 0;
      } else {
        let least = Number.POSITIVE_INFINITY;
        // Equals take turns.
        turn = turn + 1 < count ? turn + 1 : 0;
        for (let i = turn; i < turn + count; i++) {
          const load = loads[i < count ? i : i - count];
          if (load?.tier === tier && load.promise <= quickest * settings.within && load.cost < least) {
            least = load.cost;
            best = load;
          }
        }
      }
      best.pickedAt = now;
      return best;
    },
  };
}

function inFlightOf(load: Load<Busy>): number {
  return load.endpoint.inFlight + load.starting;
}

/** How long one more call would take: as long as of late, or longer where more are in flight than then. */
function estimate(load: Load<Busy>, slowStartCalls: number): void {
  const inFlight = inFlightOf(load);
  if (load.answered < slowStartCalls && inFlight > load.answered) {
    load.promise = Number.POSITIVE_INFINITY;
    load.cost = full * (inFlight / (load.answered + 1));
  } else {
    load.promise = load.slowness * Math.max(1, (inFlight + 1) / (load.crowd + 1));
    load.cost = load.slowness * (inFlight + 1);
  }
}

/** Notes an answer, and how long it took. */
export function observeAnswer(load: Load<Busy>, slowness: number, now: number, settings = balancerSettings): void {
  const inFlight = inFlightOf(load) + 1;
  if (slowness >= load.slowness) {
    load.slowness = Math.min(worst, slowness);
    load.crowd = inFlight;
  } else {
    const weight = Math.exp(-Math.max(0, now - load.observedAt) / settings.decayMs);
    load.slowness = load.slowness * weight + slowness * (1 - weight);
    load.crowd = load.crowd * weight + inFlight * (1 - weight);
  }
  load.observedAt = now;
  load.answered = Math.min(settings.slowStartCalls, load.answered + 1);
}

/** Notes that a stream was opened, which says that the endpoint answers, but not how quickly. */
export function observeOpening(load: Load<Busy>, settings = balancerSettings): void {
  load.slowness ||= 1;
  // It carries that many as well as before.
  load.crowd = Math.max(load.crowd, inFlightOf(load));
  load.answered = Math.min(settings.slowStartCalls, load.answered + 1);
}

/**
 * Notes that a call would have taken `slowness` at least: it was given up, or failed. How soon it ended is no sign of speed, so this can only make the
 * endpoint look slower.
 */
export function observeAtLeast(load: Load<Busy>, slowness: number, now: number): void {
  if (slowness >= load.slowness) {
    load.slowness = Math.min(worst, slowness);
    load.crowd = inFlightOf(load) + 1;
    load.observedAt = now;
  }
}
