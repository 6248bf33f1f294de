/** Wakes those of this process who wait for something. Losing one is harmless: whoever waits also looks again by itself. */
export type Wakeups = {
  /** Wakes everybody who waits for `key`. */
  notify(key: string): void;
  /** Resolves at the next `notify`, after `ms`, or when the signal aborts; never rejects. */
  wait(key: string, ms: number, signal?: AbortSignal): Promise<void>;
};

/** Makes wake-ups for any number of keys; a key that nobody waits for costs nothing. */
export function createWakeups(): Wakeups {
  const sleepers = new Map<string, Set<() => void>>();
  return {
    notify(key) {
      for (const wake of sleepers.get(key) ?? []) wake();
    },
    wait(key, ms, signal) {
      if (signal?.aborted || ms <= 0) return Promise.resolve();
      return new Promise((resolve) => {
        const others = sleepers.get(key) ?? new Set();
        sleepers.set(key, others);
        const wake = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", wake);
          others.delete(wake);
          if (others.size === 0 && sleepers.get(key) === others) sleepers.delete(key);
          resolve();
        };
        const timer = setTimeout(wake, ms);
        signal?.addEventListener("abort", wake, { once: true });
        others.add(wake);
      });
    },
  };
}
