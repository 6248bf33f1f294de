import { createClient, type Transport } from "@connectrpc/connect";
import { AccountService } from "@kinora/proto-encoder";
import type { Logger } from "@kinora/rpc";
import type { JobQueue } from "../queue/job-queue.ts";
import type { Transaction } from "../store/store.ts";
import { accessTokenSeconds } from "../token/access-token.ts";

/** Tells the encoder of deleted accounts, as often as it takes. */
export type AccountDeletion = {
  /** Joins the transaction that deletes the account: both happen or neither. */
  enqueue(tx: Transaction, userId: string): Promise<void>;
  /** Looks for work now instead of at the next poll; call it after the transaction. */
  hurry(): void;
};

const tenYears = 10 * 365 * 86_400;

type Job = { userId: string };

/** The queue of deleted accounts. A job is tried until the encoder has done it: no age ends it. */
export function createAccountDeletion(deps: { jobs: JobQueue; encoder: Transport; logger: Logger }): AccountDeletion {
  const { jobs, encoder, logger } = deps;
  const client = createClient(AccountService, encoder);
  const options = { retentionSeconds: tenYears, rememberSeconds: 86_400 };
  const queue = jobs.queue<Job>("account-deletion", options, async ({ userId }, _id, signal) => {
    try {
      const { videos } = await client.deleteAccountData({ userId }, { signal, timeoutMs: 30_000 });
      logger.info({ userId, videos }, "the encoder deleted an account's videos");
    } catch (error) {
      logger.warn({ userId, err: error }, "the encoder couldn't be told of a deleted account yet; will try again");
      throw error;
    }
  });
  return {
    async enqueue(tx, userId) {
      await queue.enqueue(tx, { userId });
      // Access tokens of the account are good for a while yet at services that verify offline: what they make goes, too.
      await queue.enqueue(tx, { userId }, { afterSeconds: accessTokenSeconds + 60 });
    },
    hurry: () => queue.hurry(),
  };
}
