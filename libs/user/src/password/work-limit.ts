import { DomainError } from "@kinora/rpc";

/** Runs tasks, some at a time; the others wait in order. */
export type WorkLimit = {
  /** Throws `exhausted` when the queue is full; the signal's reason when it aborts before the task's turn. */
  run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T>;
};

/**
 * Allows `concurrent` tasks at a time and `queued` more that wait.
 * @see work-limit.test.ts for what happens when waiting tasks are given up
 */
export function createWorkLimit({ concurrent, queued }: { concurrent: number; queued: number }): WorkLimit {
  let running = 0;
  const waiting = new Set<() => void>();

  const turn = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const start = () => {
        waiting.delete(start);
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        waiting.delete(start);
        reject(signal.reason);
      };
      waiting.add(start);
      signal.addEventListener("abort", giveUp, { once: true });
    });

  return {
    async run(signal, task) {
      signal.throwIfAborted();
      if (running < concurrent) {
        running += 1;
      } else {
        if (waiting.size >= queued) {
          throw new DomainError(
            "exhausted",
            "too many people are logging in at this moment; try again in a few seconds",
            {
              retryAfterSeconds: 2,
            },
          );
        }
        await turn(signal); // the task that ended hands its place over, so `running` stays as it is
      }
      try {
        return await task();
      } finally {
        const [next] = waiting;
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
