import type { TaskCount } from "../store/backlog.store.ts";

/** How many tasks wait for a worker, how many workers are at work on one, and their sum. */
export type Load = { waiting: number; leased: number; tasks: number };

/** The load of all queues together, and of each: `queues["encode.cpu"]`. */
export type Backlog = Load & { queues: Record<string, Load> };

/** Sums up what is in the queues; `known` ones are there even when they are empty, so that a scaler finds a 0. */
export function backlogOf(counts: readonly TaskCount[], known: readonly string[]): Backlog {
  const queues = Object.fromEntries(known.map((queue) => [queue, load([])]));
  for (const queue of new Set(counts.map((count) => count.queue))) {
    queues[queue] = load(counts.filter((count) => count.queue === queue));
  }
  return { ...load(counts), queues };
}

function load(counts: readonly TaskCount[]): Load {
  const sum = (state: TaskCount["state"]) =>
    counts.filter((count) => count.state === state).reduce((total, { tasks }) => total + tasks, 0);
  const [waiting, leased] = [sum("waiting"), sum("leased")];
  return { waiting, leased, tasks: waiting + leased };
}
