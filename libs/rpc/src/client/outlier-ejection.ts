export const ejectionSettings = {
  /** Faults in a row, without a success in between, that eject an endpoint. */
  faultsInARow: 5,
  /** Faults so close together count as one in a row, in milliseconds: a connection that breaks takes all its calls along, and may well be made again. */
  togetherMs: 100,
  /** How often success rates are compared, in milliseconds. */
  intervalMs: 10_000,
  /** Calls within an interval that an endpoint's success rate says something from. */
  callsPerInterval: 50,
  /** An endpoint is ejected whose success rate lies this many standard deviations of the others' below their mean … */
  deviations: 1.9,
  /** … and at least this much. */
  leastDifference: 0.1,
  /** The n-th ejection in a row lasts n times this long, in milliseconds … */
  baseMs: 30_000,
  /** … up to this long. */
  longestMs: 300_000,
};

/** What is known of one endpoint's health. Only this file writes into it. */
export type Health = {
  faultsInARow: number;
  /** When the last fault counted. */
  faultAt: number;
  successes: number;
  faults: number;
  /** How many ejections in a row; each interval without one takes back one. */
  ejections: number;
  /** Until when it gets no calls. */
  ejectedUntil: number;
};

/** Takes endpoints out that fail while others don't. Times in milliseconds, of any clock. */
export type OutlierEjection<H extends Health = Health> = {
  success(health: H): void;
  /** Returns whether this ejected the endpoint. `all` are those among which it is an outlier. */
  fault(health: H, all: readonly H[], now: number): boolean;
  /** Compares success rates if it is time to; returns those that this ejected. */
  compare(all: readonly H[], now: number): readonly H[];
};

export function createHealth(): Health {
  return {
    faultsInARow: 0,
    faultAt: Number.NEGATIVE_INFINITY,
    successes: 0,
    faults: 0,
    ejections: 0,
    ejectedUntil: Number.NEGATIVE_INFINITY,
  };
}

const nobody: readonly never[] = [];

/**
 * Outlier ejection after gRFC A50 (https://github.com/grpc/proposal/blob/master/A50-xds-outlier-detection.md), made to work for a few endpoints as well: an endpoint's success
 * rate is compared with that of the others, itself left out, so that two or three are enough. Faults in a row eject at once, as in Envoy. Never more than half of the
 * endpoints are out, and none goes when no other does better: then it is the network, the callers or all servers, and fewer endpoints would make it worse.
 */
export function createOutlierEjection<H extends Health>(
  start: number,
  settings = ejectionSettings,
): OutlierEjection<H> {
  let comparedAt = start;

  function eject(health: H, now: number): void {
    health.ejections++;
    health.ejectedUntil = now + Math.min(settings.longestMs, settings.baseMs * health.ejections);
    health.faultsInARow = 0;
  }

  return {
    success(health) {
      health.successes++;
      health.faultsInARow = 0;
    },
    fault(health, all, now) {
      health.faults++;
      if (now - health.faultAt >= settings.togetherMs) {
        health.faultsInARow++;
        health.faultAt = now;
      }
      if (health.faultsInARow < settings.faultsInARow || health.ejectedUntil > now || !mayEject(all, now)) {
        return false;
      }
      const othersWork = all.some(
        (other) => other !== health && other.ejectedUntil <= now && other.faultsInARow === 0 && other.successes > 0,
      );
      if (othersWork) {
        eject(health, now);
      }
      return othersWork;
    },
    compare(all, now) {
      if (now - comparedAt < settings.intervalMs) {
        return nobody;
      }
      comparedAt = now;
      const ejected = outliers(all, settings).filter((health) => {
        const goes = health.ejectedUntil <= now && mayEject(all, now);
        if (goes) {
          eject(health, now);
        }
        return goes;
      });
      for (const health of all) {
        if (health.ejectedUntil <= now) {
          health.ejections = Math.max(0, health.ejections - 1);
        }
        health.successes = 0;
        health.faults = 0;
      }
      return ejected;
    },
  };
}

/** Whether one more may go: at most half of them. */
function mayEject(all: readonly Health[], now: number): boolean {
  const out = all.reduce((count, health) => count + (health.ejectedUntil > now ? 1 : 0), 0);
  return (out + 1) * 2 <= all.length;
}

/** Those whose success rate is too far below the others', worst first. */
function outliers<H extends Health>(all: readonly H[], settings: typeof ejectionSettings): H[] {
  const busy = all.filter(({ successes, faults }) => successes + faults >= settings.callsPerInterval);
  const rate = ({ successes, faults }: Health) => successes / (successes + faults);
  return busy
    .filter((health) => {
      const others = busy.filter((other) => other !== health).map(rate);
      if (others.length === 0) {
        return false;
      }
      const mean = others.reduce((sum, other) => sum + other, 0) / others.length;
      const variance = others.reduce((sum, other) => sum + (other - mean) ** 2, 0) / others.length;
      return rate(health) < mean - Math.max(settings.leastDifference, settings.deviations * Math.sqrt(variance));
    })
    .sort((a, b) => rate(a) - rate(b));
}
