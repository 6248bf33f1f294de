import { ConnectError } from "@connectrpc/connect";
import type { Logger } from "@kinora/rpc";
import { type Job, type JobResult, PgBoss, type QueueOptions } from "pg-boss";
import { taskQueues } from "../domain/task-kind.ts";
import type { Db } from "../store/db.ts";

/** Background work of the control plane, and what it is told. */
export type ControlJobs = {
  /** Make the plan of a probed encode and reserve quota. */
  plan: { encodeId: string };
  /** Reserve quota for the length that a source was found to have. */
  extend: { encodeId: string };
  /** Tell the user service what a finished encode used. */
  settle: { encodeId: string; seconds: number; reservationId?: string };
  /** Give back what an encode that came to nothing had reserved. */
  release: { encodeId: string; reservationId?: string };
  /** Remove objects and what is left of an upload. */
  cleanup: { prefixes: string[]; uploads: string[] };
  /** Send an event to an address: this attempt, counted from 1. */
  webhook: { deliveryId: string; attempt: number };
  /** Remove what a failed encode has kept for another try, unless that has happened. */
  expire: { encodeId: string };
};

/** A kind of background work. */
export type ControlKind = keyof ControlJobs;

/** Does one job. A thrown error means: again later. */
export type ControlHandlers = { [K in ControlKind]: (data: ControlJobs[K], signal: AbortSignal) => Promise<void> };

/** A task as the queue knows it. */
export type QueuedTask = {
  id: string;
  /** Higher ones come first; see fair-order.ts. */
  place: number;
  ownerId: string;
};

/** The queues of tasks and of background work, on pg-boss. Everything that takes a `db` runs in its transaction. */
export type Queue = {
  /** Queues tasks; those that are queued already stay as they are. */
  sendTasks(db: Db, queue: string, tasks: readonly QueuedTask[]): Promise<void>;
  /** Takes up to `count` tasks from a queue: nobody else gets them until they are requeued. Nobody has more than `cap` of a queue's tasks taken at a time. */
  takeTasks(db: Db, queue: string, count: number, cap: number): Promise<string[]>;
  /** Puts a task that was taken back, at its old place. */
  requeueTask(db: Db, queue: string, task: QueuedTask, delaySeconds: number): Promise<void>;
  /** Removes tasks, taken or not. */
  dropTasks(db: Db, queue: string, taskIds: readonly string[]): Promise<void>;
  /**
   * Queues background work; it begins at once after `wake`, or within seconds. Of a group, few are done at the same time, where the kind has groups
   * (webhooks by their address).
   */
  send<K extends ControlKind>(
    db: Db,
    kind: K,
    data: ControlJobs[K],
    delaySeconds?: number,
    group?: string,
  ): Promise<void>;
  /** Looks for background work now, if any was sent lately. Call it after the transaction. */
  wake(): void;
  /** Begins to do background work. */
  work(handlers: ControlHandlers): Promise<void>;
  /** Stops: handlers are aborted, and what they left undone is queued again. */
  close(): Promise<void>;
};

const year = 365 * 24 * 3600;

// Whether a task is tried again is decided by its faults (domain/lease.ts), so pg-boss must never give up by itself.
const taskOptions: QueueOptions = {
  retryLimit: 1_000_000,
  retryDelay: 0,
  expireInSeconds: 24 * 3600,
  retentionSeconds: year,
  deleteAfterSeconds: 3600,
};

// Calls to another service are repeated until they succeed: often at first, then twice a minute.
const controlOptions: QueueOptions = {
  retryLimit: 1_000_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 30,
  // Longer than any handler may take. After a crash in the middle of one, the job begins again this much later.
  expireInSeconds: 15,
  retentionSeconds: year,
  deleteAfterSeconds: 3600,
};

/** So long after it was sent, work is looked for at each `wake`, in milliseconds: by then its transaction is over, and polling has found it. */
const lookedForMs = 5_000;
/** Longest time that a handler may take, in milliseconds. */
const handlerMs = 12_000;
// More than one worker, so that a slow answer holds up only those that were queued with it.
const inBatches = {
  count: 2,
  options: { pollingIntervalSeconds: 2, batchSize: 10, burstWhenBatchFull: true, perJobResults: true },
} as const;
// Somebody's address that doesn't answer must not hold up anybody else's events: no batches, and two at a time for each address.
const oneByOne = {
  count: 4,
  options: {
    pollingIntervalSeconds: 2,
    batchSize: 1,
    burstWhenReadyExceeds: 1,
    localConcurrency: 2,
    localGroupConcurrency: 2,
    perJobResults: true,
  },
} as const;

const kinds: readonly ControlKind[] = ["plan", "extend", "settle", "release", "cleanup", "webhook", "expire"];
const controlQueue = (kind: ControlKind) => `control.${kind}`;

/** Opens the queues in the schema `encoder_queue` of the database at `url`, making them if they aren't there. */
export async function openQueue(options: { url: string; logger: Logger }): Promise<Queue> {
  const { logger } = options;
  const boss = new PgBoss({
    connectionString: options.url,
    schema: "encoder_queue",
    application_name: "kinora-encoder-queue",
    max: 4,
    schedule: false,
    // Finds jobs that a killed process held; the default of a minute is too long for somebody who watches a progress bar.
    superviseIntervalSeconds: 3,
    monitorIntervalSeconds: 3,
    // A thousand videos that wait are no fault, and /metrics/queue tells of them: pg-boss would warn every few seconds from 10,000 tasks on.
    warningQueueSize: 1_000_000,
  });
  boss.on("error", (error) => logger.warn({ err: error }, "the task queue had a fault; it goes on by itself"));
  boss.on("warning", (warning) => logger.warn({ warning }, "the task queue warns"));
  await boss.start();
  const stop = new AbortController();
  const workers = new Map<ControlKind, string[]>();
  /** When something of a kind was last sent, in milliseconds; whether that was committed, nobody knows. */
  const sent = new Map<ControlKind, number>();
  try {
    for (const queue of taskQueues) await ensureQueue(boss, queue, taskOptions);
    for (const kind of kinds) await ensureQueue(boss, controlQueue(kind), controlOptions);
  } catch (error) {
    await boss.stop({ graceful: false });
    throw error;
  }

  async function handle<K extends ControlKind>(kind: K, handler: ControlHandlers[K]): Promise<void> {
    const attempt = async ({ id, data }: Job<ControlJobs[K]>): Promise<JobResult> => {
      try {
        await handler(data, AbortSignal.any([stop.signal, AbortSignal.timeout(handlerMs)]));
        return { id, status: "completed" };
      } catch (error) {
        // A service that is away says so in a sentence; for anything else the log needs the stack.
        const why = error instanceof ConnectError ? { reason: error.message } : { err: error };
        if (!stop.signal.aborted) logger.warn({ ...why, kind, job: data }, "a job failed; it will be tried again");
        return { id, status: "failed" };
      }
    };
    const { options, count } = kind === "webhook" ? oneByOne : inBatches;
    for (let worker = 0; worker < count; worker += 1) {
      const id = await boss.work(controlQueue(kind), options, (jobs: Job<ControlJobs[K]>[]) =>
        Promise.all(jobs.map(attempt)),
      );
      workers.set(kind, [...(workers.get(kind) ?? []), id]);
    }
  }

  return {
    async sendTasks(db, queue, tasks) {
      if (tasks.length > 0) await boss.insert(queue, tasks.map(jobOf), { db: executor(db) });
    },

    async takeTasks(db, queue, count, cap) {
      const jobs = await boss.fetch(queue, { batchSize: count, groupConcurrency: cap, db: executor(db) });
      return jobs.map((job) => job.id);
    },

    async requeueTask(db, queue, task, delaySeconds) {
      const options = { db: executor(db) };
      await boss.fail(queue, task.id, undefined, options);
      const { updated } = await boss.update(queue, undefined, { id: task.id, startAfter: delaySeconds, ...options });
      if (updated > 0) return;
      // Lost, by whatever happened to the queue's tables: without a job the task would wait for ever.
      await boss.deleteJob(queue, task.id, options);
      await boss.insert(queue, [{ ...jobOf(task), startAfter: delaySeconds }], options);
    },

    async dropTasks(db, queue, taskIds) {
      if (taskIds.length > 0) await boss.deleteJob(queue, [...taskIds], { db: executor(db) });
    },

    async send(db, kind, data, delaySeconds = 0, group = undefined) {
      await boss.send(controlQueue(kind), data, {
        db: executor(db),
        ...(delaySeconds > 0 ? { startAfter: delaySeconds } : {}),
        ...(group === undefined ? {} : { group: { id: group } }),
      });
      if (delaySeconds === 0) sent.set(kind, performance.now());
    },

    wake() {
      for (const [kind, at] of sent) {
        if (performance.now() - at > lookedForMs) sent.delete(kind);
        else for (const id of workers.get(kind) ?? []) boss.notifyWorker(id);
      }
    },

    async work(handlers) {
      await handle("plan", handlers.plan);
      await handle("extend", handlers.extend);
      await handle("settle", handlers.settle);
      await handle("release", handlers.release);
      await handle("cleanup", handlers.cleanup);
      await handle("webhook", handlers.webhook);
      await handle("expire", handlers.expire);
    },

    async close() {
      stop.abort(new Error("The encoder is stopping."));
      await boss.stop({ graceful: true, timeout: 2_000 });
    },
  };
}

/** People are groups, so that the queue can count how much of theirs is being done. */
const jobOf = ({ id, place, ownerId }: QueuedTask) => ({ id, priority: place, group: { id: ownerId } });

/** Makes a queue, or brings one of an earlier release up to date. */
async function ensureQueue(boss: PgBoss, name: string, options: QueueOptions): Promise<void> {
  await boss.createQueue(name, options);
  await boss.updateQueue(name, options);
}

/** Lets pg-boss run its statements in our transaction. */
function executor(db: Db) {
  return {
    executeSql: (text: string, values?: unknown[]) => db.query<Record<string, unknown>>(text, values),
  };
}
