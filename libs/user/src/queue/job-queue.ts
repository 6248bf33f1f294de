import type { Database } from "@kinora/database";
import type { Logger } from "@kinora/rpc";
import pg from "pg";
import type { PgBoss } from "pg-boss";
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
  /** A queue with one worker in this process; several processes share the work. Before the start. */
  queue<Job extends object>(name: string, options: QueueOptions, work: Work<Job>): Queue<Job>;
  /** Loads the library, makes the queues and begins to work. The first job that is given does so as well, and waits for it. */
  start(): Promise<void>;
  /** May be called twice. */
  close(): Promise<void>;
};

/** For how long a job is tried, and a done one remembered. Jobs that are done with a secret in them aren't remembered at all. */
export type QueueOptions = { retentionSeconds: number; rememberSeconds: number };

type Started = { boss: PgBoss; workers: ReadonlyMap<string, string>; pool: pg.Pool };

export function createJobQueue(deps: { database: Pick<Database, "url">; logger: Logger }): JobQueue {
  const { database, logger } = deps;
  const end = new AbortController();
  const queues = new Map<string, { options: QueueOptions; work: Work<never> }>();
  let running: Started | undefined;
  let starting: Promise<Started> | undefined;
  let closing: Promise<void> | undefined;

  async function begin(): Promise<Started> {
    // A third of the program, which answers no call: a start that is to be quick doesn't wait for it.
    const { PgBoss } = await import("pg-boss");
    const pool = openPool();
    const boss = new PgBoss({
      db: { executeSql: async (text, values) => await pool.query(text, values) },
      schema: "user_queue",
      schedule: false,
    });
    // While the database is away every poll fails; the next one that works goes on.
    boss.on("error", (error) => logger.warn({ err: error }, "the queue of jobs has trouble"));
    try {
      await boss.start();
      for (const [name, { options }] of queues) await makeQueue(boss, name, options);
      const workers = new Map<string, string>();
      for (const [name, { work }] of queues) workers.set(name, await beginWork(boss, name, work));
      running = { boss, workers, pool };
      return running;
    } catch (error) {
      await boss.stop({ graceful: false, close: true }).catch(() => {});
      await pool.end();
      throw error;
    }
  }

  /** Of its own: transactions that give a job, and wait for the library to look its queue up, may hold every connection of the service's. */
  function openPool(): pg.Pool {
    const pool = new pg.Pool({
      connectionString: database.url,
      application_name: "kinora-user-jobs",
      max: 2,
      connectionTimeoutMillis: 10_000,
      query_timeout: 35_000,
      keepAlive: true,
    });
    pool.on("error", (error) => logger.warn({ err: error }, "the queue of jobs has trouble"));
    return pool;
  }

  async function makeQueue(
    boss: PgBoss,
    name: string,
    { retentionSeconds, rememberSeconds }: QueueOptions,
  ): Promise<void> {
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
  }

  async function beginWork(boss: PgBoss, name: string, work: Work<never>): Promise<string> {
    let worker: string | undefined;
    worker = await boss.work<never>(name, async ([job]) => {
      if (job === undefined) return;
      // Where there was one there may be more: without this the next would wait for the next poll, two seconds for each. One that fails isn't due again at once.
      if (worker !== undefined) boss.notifyWorker(worker);
      await work(job.data, job.id, AbortSignal.any([job.signal, end.signal]));
    });
    return worker;
  }

  async function close(): Promise<void> {
    end.abort(); // work under way becomes a job to try again
    const open = await starting?.catch(() => undefined);
    await open?.boss.stop({ graceful: true, timeout: 1_000, close: true });
    await open?.pool.end();
  }

  /** Once for all who want it; after a failure the next one tries again. */
  function started(): Promise<Started> {
    end.signal.throwIfAborted();
    starting ??= begin().catch((error: unknown) => {
      starting = undefined;
      throw error;
    });
    return starting;
  }

  return {
    queue(name, options, work) {
      queues.set(name, { options, work });
      return {
        async enqueue(tx, job, { afterSeconds } = {}) {
          const { boss } = await started();
          const db = { executeSql: async (text: string, values?: unknown[]) => await tx.client.query(text, values) };
          await boss.send(name, job, { db, ...(afterSeconds !== undefined && { startAfter: afterSeconds }) });
        },
        hurry() {
          const worker = running?.workers.get(name);
          if (worker !== undefined) running?.boss.notifyWorker(worker);
        },
      };
    },
    async start() {
      await started();
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}
