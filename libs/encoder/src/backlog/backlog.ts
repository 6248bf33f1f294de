import type { TaskCount } from "../store/backlog.store.ts";

/** How many tasks wait for a worker, how many workers are at work on one, and their sum. */
export type Load = { waiting: number; leased: number; tasks: number };

/** The load of all queues together, and of each that isn't empty: `queues["encode.cpu"]`. */
export type Backlog = Load & { queues: Record<string, Load> };

/** Sums up what is in the queues. */
export function backlogOf(counts: readonly TaskCount[]): Backlog {
  const names = [...new Set(counts.map(({ queue }) => queue))].sort();
  const queues = names.map((name) => [name, load(counts.filter(({ queue }) => queue === name))] as const);
  return { ...load(counts), queues: Object.fromEntries(queues) };
}

function load(counts: readonly TaskCount[]): Load {
  const sum = (state: TaskCount["state"]) =>
    counts.filter((count) => count.state === state).reduce((total, { tasks }) => total + tasks, 0);
  const [waiting, leased] = [sum("waiting"), sum("leased")];
  return { waiting, leased, tasks: waiting + leased };
}
