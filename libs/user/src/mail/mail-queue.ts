import type { Logger } from "@kinora/rpc";
import { sealCode } from "../code/email-code.store.ts";
import { createLongCode, createShortCode, hashLongCode } from "../code/secret-code.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import type { JobQueue } from "../queue/job-queue.ts";
import type { Store, Transaction } from "../store/store.ts";
import { type CodePurpose, codeLetter, type Notice, noticeLetter } from "./letters.ts";
import type { Letter, Mailer } from "./mailer.ts";

/**
 * Letters on their way. They are committed with what they tell of, and sent afterwards, as often as it takes: once, unless a mail server takes a letter and the answer
 * is lost; both then have one Message-ID.
 */
export type MailQueue = {
  /** Sends a code that was asked for. */
  sendCode(tx: Transaction, codeId: string): Promise<void>;
  sendNotice(tx: Transaction, notice: Notice): Promise<void>;
  /** Sends now instead of at the next poll; call it after the transaction. */
  hurry(): void;
};

/** A code's letter is written when it is sent: the job, which the database keeps, names the code and doesn't hold it. */
type Job = { codeId: string } | { notice: Notice };

/** After this a letter that couldn't be sent is given up, in seconds. */
const retentionSeconds = 3 * 86_400;

export function createMailQueue(deps: {
  jobs: JobQueue;
  mailer: Mailer;
  store: Store;
  passwords: PasswordHasher;
  logger: Logger;
  now: () => Date;
}): MailQueue {
  const { jobs, mailer, store, passwords, logger, now } = deps;

  /** Makes the code, in place of one that an earlier try made. No letter where there is nothing to send (any more). */
  async function writeCode(codeId: string, signal: AbortSignal): Promise<Letter | undefined> {
    const [found] = await store
      .on(signal)
      .query<{ purpose: CodePurpose; email: string }>(
        "select purpose, email from email_codes where id = $1 and genuine and expire_time > $2",
        [codeId, now()],
      );
    if (found === undefined) return undefined;
    const long = found.purpose === "invitation";
    const code = long ? createLongCode() : createShortCode();
    const hash = long ? hashLongCode(code).toString("hex") : await passwords.hash(code, signal);
    await sealCode(store.on(signal), codeId, hash);
    return codeLetter(found.purpose, found.email, long ? `${codeId}:${code}` : code);
  }

  const options = { retentionSeconds, rememberSeconds: 3600 };
  const queue = jobs.queue<Job>("mail", options, async (job, id, signal) => {
    try {
      const letter = "codeId" in job ? await writeCode(job.codeId, signal) : noticeLetter(job.notice);
      if (letter !== undefined) await mailer.send(letter, id, AbortSignal.any([signal, AbortSignal.timeout(45_000)]));
    } catch (error) {
      logger.warn({ err: error }, "a letter couldn't be sent yet; will try again");
      throw error;
    }
  });
  return {
    sendCode: (tx, codeId) => queue.enqueue(tx, { codeId }),
    sendNotice: (tx, notice) => queue.enqueue(tx, { notice }),
    hurry: () => queue.hurry(),
  };
}
