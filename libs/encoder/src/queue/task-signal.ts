import { createWakeups } from "../wakeups.ts";

/** Says to whoever gives tasks out that there is something to do. Losing it is harmless: they also look by themselves. */
export type TaskSignal = {
  /** Tasks wait: to this process and to the other replicas. */
  announce(): void;
  /** To this process alone: a worker has come, or another replica has announced tasks. */
  wake(): void;
  /** Resolves at the next of either, after `ms`, or when the signal aborts; never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
};

const any = "task";

/** Makes the signal; `elsewhere` tells the other replicas. */
export function createTaskSignal(elsewhere: () => void): TaskSignal {
  const wakeups = createWakeups();
  const wake = () => wakeups.notify(any);
  return {
    wake,
    announce() {
      wake();
      elsewhere();
    },
    wait: (ms, signal) => wakeups.wait(any, ms, signal),
  };
}
