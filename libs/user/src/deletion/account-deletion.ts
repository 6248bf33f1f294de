import { createClient, type Transport } from "@connectrpc/connect";
import type { Database } from "@kinora/database";
import { AccountService } from "@kinora/proto-encoder";
import type { Logger } from "@kinora/rpc";
import { PgBoss } from "pg-boss";
import { accessTokenSeconds } from "../session/access-token.ts";
import type { Transaction } from "../store/store.ts";

/** Tells the encoder of deleted accounts, as often as it takes. */
export type AccountDeletion = {
  /** Joins the transaction that deletes the account: both happen or neither. */
  enqueue(tx: Transaction, userId: string): Promise<void>;
  /** Looks for work now instead of at the next poll; call it after the transaction. */
  hurry(): void;
  close(): Promise<void>;
};

const queue = "account-deletion";
const tenYears = 10 * 365 * 86_400;

const queueOptions = {
  // Until it succeeds: no number of attempts and no age ends it. Waits 1 s, 2 s … up to 5 minutes.
  retryLimit: 2_147_483_647,
  retentionSeconds: tenYears,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 300,
  // A process that dies in mid-call gives its job back after this.
  expireInSeconds: 60,
  deleteAfterSeconds: 86_400,
};

type Job = { userId: string };

/** Starts the queue (pg-boss, in a schema of its own beside the service's tables) and its one worker. */
export async function startAccountDeletion(deps: {
  database: Pick<Database, "pool">;
  encoder: Transport;
  logger: Logger;
}): Promise<AccountDeletion> {
  const { database, encoder, logger } = deps;
  const client = createClient(AccountService, encoder);
  const boss = new PgBoss({
    // On the service's own connections: one pool to bound and to close.
    db: { executeSql: async (text, values) => await database.pool.query(text, values) },
    schema: "user_queue",
    schedule: false,
  });
  // While the database is away every poll fails; the next one that works goes on.
  boss.on("error", (error) => logger.warn({ err: error }, "the queue of deleted accounts has trouble"));
  await boss.start();
  await boss.createQueue(queue, queueOptions);
  await boss.updateQueue(queue, queueOptions); // a queue that an earlier release made
  const end = new AbortController();
  const workerId = await boss.work<Job>(queue, async ([job]) => {
    if (job === undefined) return;
    const { userId } = job.data;
    try {
      const signal = AbortSignal.any([job.signal, end.signal]);
      const { videos } = await client.deleteAccountData({ userId }, { signal, timeoutMs: 30_000 });
      logger.info({ userId, videos }, "the encoder deleted an account's videos");
    } catch (error) {
      logger.warn({ userId, err: error }, "the encoder couldn't be told of a deleted account yet; will try again");
      throw error;
    }
  });

  return {
    async enqueue(tx, userId) {
      const db = { executeSql: async (text: string, values?: unknown[]) => await tx.client.query(text, values) };
      await boss.send(queue, { userId } satisfies Job, { db });
      // Access tokens of the account are good for a while yet at services that verify offline: what they make goes, too.
      await boss.send(queue, { userId } satisfies Job, { db, startAfter: accessTokenSeconds + 60 });
    },
    hurry: () => boss.notifyWorker(workerId),
    async close() {
      end.abort(); // a call under way becomes a job to try again
      await boss.stop({ graceful: true, timeout: 1_000, close: true });
    },
  };
}
