/** Looks a host name up: every address that it has. Rejects when it has none or can't be looked up. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export const resolverTimes = {
  /** Between two look-ups, in milliseconds. */
  everyMs: 30_000,
  /** Between two look-ups at least, however often they are asked for. After one that fails it is twice as long until the next, and so on up to `everyMs`. */
  leastMs: 1_000,
};

/** Keeps the addresses of a host name up to date. */
export type Resolver = {
  /** Looks up soon: at once, unless the last look-up has only just been. */
  refresh(): void;
  /** Looks up no more. */
  close(): void;
};

/** What a resolver needs. */
export type ResolverOptions = {
  host: string;
  lookup: Lookup;
  /** Told of the addresses whenever they differ from the last ones or the last look-up failed; never of none. */
  onAddresses(addresses: readonly string[]): void;
  /** Told that a look-up failed. The last addresses stay. */
  onFault(error: unknown): void;
  times?: typeof resolverTimes;
};

/**
 * Looks up at once, and then again and again. A look-up that takes long holds up none but the next. Nothing here keeps the process alive, save the look-up
 * itself.
 */
export function createResolver({
  host,
  lookup,
  onAddresses,
  onFault,
  times = resolverTimes,
}: ResolverOptions): Resolver {
  let timer: NodeJS.Timeout | undefined;
  let known = "";
  let startedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let looking = false;
  let closed = false;

  async function look(): Promise<void> {
    clearTimeout(timer);
    looking = true;
    startedAt = performance.now();
    try {
      const addresses = [...new Set(await lookup(host))].sort();
      if (addresses.length === 0) {
        throw new Error(`${host} has no address`);
      }
      const news = failures > 0 || known !== addresses.join();
      failures = 0;
      known = addresses.join();
      if (news && !closed) {
        onAddresses(addresses);
      }
    } catch (error) {
      failures++;
      if (!closed) {
        onFault(error);
      }
    } finally {
      looking = false;
      schedule(failures === 0 ? times.everyMs : Math.min(times.everyMs, times.leastMs * 2 ** Math.min(failures, 16)));
    }
  }

  function schedule(ms: number): void {
    clearTimeout(timer);
    if (!closed) {
      timer = setTimeout(() => void look(), ms).unref();
    }
  }

  void look();
  return {
    refresh() {
      if (!looking && !closed) {
        const wait = startedAt + times.leastMs - performance.now();
        if (wait <= 0) {
          void look();
        } else {
          schedule(wait);
        }
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
