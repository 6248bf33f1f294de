import type { Context } from "../context.ts";
import { taskQueues } from "../domain/task-kind.ts";
import { reportFailure } from "./fail-task.ts";
import { createLeaseNotes } from "./lease-notes.ts";
import { type LeasedTask, takeTasks } from "./take-tasks.ts";

/** Gives waiting workers the tasks that they can do. */
export type Dispatcher = {
  /** Waits up to `ms` for a task of one of the queues; undefined if none came, the signal aborted or the dispatcher was closed. */
  lease(workerId: string, queues: readonly string[], ms: number, signal: AbortSignal): Promise<LeasedTask | undefined>;
  /** Puts a task back that its worker couldn't be told of. Never rejects: if it can't, the lease expires. */
  giveBack(task: LeasedTask): Promise<void>;
};

type Waiter = { workerId: string; queues: readonly string[]; give(task: LeasedTask | undefined): void };

/** Tasks that are leased in one transaction. */
const batch = 200;

/** The first who wait for tasks of a queue. */
function firstOf(waiters: Iterable<Waiter>, queue: string): Waiter[] {
  const found: Waiter[] = [];
  for (const waiter of waiters) {
    if (waiter.queues.includes(queue)) found.push(waiter);
    if (found.length === batch) break;
  }
  return found;
}

/**
 * Makes a dispatcher. However many workers wait, one loop asks the database, about once a second for each queue that somebody waits for. It asks at once when a worker comes
 * or a task is queued. Who came first is served first. One loop for all queues, so that nobody is given tasks of two.
 */
export function createDispatcher(context: Context, closed: AbortSignal): Dispatcher {
  const waiters = new Set<Waiter>();
  const notes = createLeaseNotes(context);
  let loop: Promise<void> | undefined;

  async function serve(): Promise<void> {
    while (!closed.aborted && waiters.size > 0) {
      // Begun before the questions, so that a task that comes between is noticed.
      const noticed = context.taskSignal.wait(context.taskPollMs, closed);
      let full = false;
      for (const queue of taskQueues) {
        const candidates = firstOf(waiters, queue);
        if (candidates.length > 0) full = (await take(queue, candidates)) === batch || full;
      }
      if (!full) await noticed;
    }
  }

  async function take(queue: string, candidates: Waiter[]): Promise<number> {
    try {
      const workerIds = candidates.map((waiter) => waiter.workerId);
      const tasks = await takeTasks(context, notes, queue, workerIds, closed);
      for (const task of tasks) {
        const waiter = candidates.find((one) => one.workerId === task.workerId && waiters.has(one));
        // Gone while we asked: the task goes back at no cost.
        if (waiter === undefined) await giveBack(task);
        else waiter.give(task);
      }
      return tasks.length;
    } catch (error) {
      if (!closed.aborted) context.logger.warn({ err: error, queue }, "could not look for tasks; trying again");
      return 0;
    }
  }

  async function giveBack(task: LeasedTask): Promise<void> {
    const failure = { kind: "returned", message: "The worker went away." } as const;
    await reportFailure(context, task, failure, AbortSignal.timeout(5_000)).catch((error: unknown) => {
      context.logger.warn({ err: error, ...task }, "could not hand a task back; its lease will expire");
    });
  }

  function ensureLoop(): void {
    if (loop !== undefined) {
      context.taskSignal.wake();
      return;
    }
    loop = serve().finally(() => {
      loop = undefined;
      // Somebody may have come after the loop had found nobody.
      if (!closed.aborted && waiters.size > 0) ensureLoop();
    });
  }

  return {
    giveBack,
    async lease(workerId, queues, ms, signal) {
      const ended = AbortSignal.any([signal, closed]);
      if (ended.aborted) return undefined;
      const task = await new Promise<LeasedTask | undefined>((resolve) => {
        const give = (given: LeasedTask | undefined) => {
          waiters.delete(waiter);
          clearTimeout(timer);
          ended.removeEventListener("abort", leave);
          resolve(given);
        };
        const leave = () => give(undefined);
        const waiter: Waiter = { workerId, queues, give };
        const timer = setTimeout(leave, ms);
        ended.addEventListener("abort", leave, { once: true });
        waiters.add(waiter);
        if (queues.length > 0) ensureLoop();
      });
      // The worker hung up in the very moment that it got a task.
      if (task !== undefined && signal.aborted) {
        await giveBack(task);
        return undefined;
      }
      return task;
    },
  };
}
