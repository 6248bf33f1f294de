/** Lets work under locks of encodes happen in turns. */
export type SettleTurns = {
  /** Does `work` when it is its turn. Rejects with the signal's reason if that aborts before. */
  take<T>(encodeId: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
};

type Turn = { encodeId: string; start(): void };

/**
 * One at a time for each encode, whose lock they would wait for with a connection in their hands, and `most` in all, so that there are always connections for leases and heartbeats.
 * Who came first is first among those of an encode.
 */
export function createSettleTurns(most: number): SettleTurns {
  const waiting = new Set<Turn>();
  const busy = new Set<string>();

  function next(): void {
    for (const turn of waiting) {
      if (busy.size >= most) return;
      if (busy.has(turn.encodeId)) continue;
      waiting.delete(turn);
      busy.add(turn.encodeId);
      turn.start();
    }
  }

  return {
    async take(encodeId, signal, work) {
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          waiting.delete(turn);
          reject(signal.reason);
        };
        const start = () => {
          signal.removeEventListener("abort", leave);
          resolve();
        };
        const turn: Turn = { encodeId, start };
        signal.addEventListener("abort", leave, { once: true });
        waiting.add(turn);
        next();
      });
      try {
        return await work();
      } finally {
        busy.delete(encodeId);
        next();
      }
    },
  };
}
