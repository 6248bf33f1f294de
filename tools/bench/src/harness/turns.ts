import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { signalTree } from "./process-tree.ts";

/** Something that takes a while and is done by processes of its own. */
export type Contender<Result> = {
  /** Those processes, as far as they have started; what they start is known. */
  processes(): number[];
  /** How long its turns are beside those of the others, 1 if not said otherwise: who needs half the time has turns half as long, so that all end at about the same time. */
  share?: number;
  /** Does it. `clock` tells how many seconds it has had so far. The signal is aborted when another one fails. */
  work(clock: () => number, signal: AbortSignal): Promise<Result>;
};

/**
 * A turn, in milliseconds: short beside how long a shared machine is slower for, and long beside what it costs to be halted: caches to be filled again, and the signals. Two workers with turns of one second took 2.6 % more CPU,
 * beside what one took with turns of two, than with turns of five and ten (docs/benchmarks.md).
 */
const usualTurnMs = 10_000;

/**
 * Lets contenders work in turns: while one does, the others' processes are halted. A machine that is shared is faster in one minute than in the next; of contenders that take a minute each, one after the other, each would
 * meet another machine, and so all meet the same. Without /proc each does all of its work in one turn. Rejects with the first fault; nothing stays halted.
 */
export async function takeTurns<Result>(
  contenders: readonly Contender<Result>[],
  { signal, turnMs = existsSync("/proc/self/task") ? usualTurnMs : Number.POSITIVE_INFINITY }: TurnOptions,
): Promise<Result[]> {
  const stop = new AbortController();
  const all = contenders.map((contender) => seat(contender, AbortSignal.any([signal, stop.signal])));
  try {
    while (all.some((one) => !one.isDone())) {
      for (const one of all) {
        signal.throwIfAborted();
        if (!one.isDone()) await one.turn(turnMs);
      }
    }
    return await Promise.all(all.map((one) => one.result()));
  } finally {
    stop.abort();
    for (const one of all) one.release();
  }
}

export type TurnOptions = { signal: AbortSignal; turnMs?: number };

/** A contender with its clock. */
function seat<Result>({ processes, share = 1, work }: Contender<Result>, signal: AbortSignal) {
  let working: Promise<Result> | undefined;
  let done = false;
  let hadMs = 0;
  let since: number | undefined;
  const clock = () => (hadMs + (since === undefined ? 0 : performance.now() - since)) / 1000;
  const signalAll = (name: "SIGSTOP" | "SIGCONT") => {
    for (const pid of processes()) signalTree(pid, name);
  };
  return {
    isDone: () => done,
    async turn(usualMs: number): Promise<void> {
      since = performance.now();
      if (working) signalAll("SIGCONT");
      else {
        const end = () => {
          done = true;
        };
        working = work(clock, signal);
        working.then(end, end);
      }
      const over = new AbortController();
      const ms = usualMs * share;
      const time = ms === Number.POSITIVE_INFINITY ? new Promise<void>(() => {}) : sleep(ms, undefined, over);
      await Promise.race([working, time]).finally(() => over.abort());
      if (!done) signalAll("SIGSTOP");
      hadMs += performance.now() - since;
      since = undefined;
    },
    /** Whatever happened: nothing stays halted. */
    release: () => signalAll("SIGCONT"),
    result: () => working ?? Promise.reject(new Error("it had no turn")),
  };
}
