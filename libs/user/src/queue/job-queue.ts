import type { Database } from "@kinora/database";
import type { Logger } from "@kinora/rpc";
import { PgBoss } from "pg-boss";
import type { Transaction } from "../store/store.ts";

/** What a worker does with one job. It is tried again, for ever, as long as it throws. */
export type Work<Job> = (job: Job, id: string, signal: AbortSignal) => Promise<void>;

/** One kind of job. */
export type Queue<Job> = {
  /** Joins the transaction: what it does and the job happen, or neither. Later than now if `afterSeconds` says so. */
  enqueue(tx: Transaction, job: Job, options?: { afterSeconds?: number }): Promise<void>;
  /** Looks for work now instead of at the next poll; call it after the transaction. */
  hurry(): void;
};

/** Durable jobs in the service's own database (pg-boss, in a schema beside the service's tables). */
export type JobQueue = {
  /** Makes the queue and its one worker in this process; several processes share the work. */
  queue<Job extends object>(name: string, options: QueueOptions, work: Work<Job>): Promise<Queue<Job>>;
  close(): Promise<void>;
};

/** For how long a job is tried, and a done one remembered. Jobs that are done with a secret in them aren't remembered at all. */
export type QueueOptions = { retentionSeconds: number; rememberSeconds: number };

export async function startJobQueue(deps: { database: Pick<Database, "pool">; logger: Logger }): Promise<JobQueue> {
  const { database, logger } = deps;
  const boss = new PgBoss({
    // On the service's own connections: one pool to bound and to close.
    db: { executeSql: async (text, values) => await database.pool.query(text, values) },
    schema: "user_queue",
    schedule: false,
  });
  // While the database is away every poll fails; the next one that works goes on.
  boss.on("error", (error) => logger.warn({ err: error }, "the queue of jobs has trouble"));
  await boss.start();
  const end = new AbortController();

  return {
    async queue<Job extends object>(
      name: string,
      { retentionSeconds, rememberSeconds }: QueueOptions,
      work: Work<Job>,
    ) {
      const options = {
        // No number of attempts ends it. Waits 1 s, 2 s … up to 5 minutes.
        retryLimit: 2_147_483_647,
        retentionSeconds,
        retryDelay: 1,
        retryBackoff: true,
        retryDelayMax: 300,
        // A process that dies in mid-work gives its job back after this.
        expireInSeconds: 60,
        deleteAfterSeconds: rememberSeconds,
      };
      await boss.createQueue(name, options);
      await boss.updateQueue(name, options); // a queue that an earlier release made
      const workerId = await boss.work<Job>(name, async ([job]) => {
        if (job !== undefined) await work(job.data, job.id, AbortSignal.any([job.signal, end.signal]));
      });
      return {
        async enqueue(tx, job, { afterSeconds } = {}) {
          const db = { executeSql: async (text: string, values?: unknown[]) => await tx.client.query(text, values) };
          await boss.send(name, job, { db, ...(afterSeconds !== undefined && { startAfter: afterSeconds }) });
        },
        hurry: () => boss.notifyWorker(workerId),
      };
    },
    async close() {
      end.abort(); // work under way becomes a job to try again
      await boss.stop({ graceful: true, timeout: 1_000, close: true });
    },
  };
}
