import { randomUUID, timingSafeEqual } from "node:crypto";
import { emailKey } from "../account/email.ts";
import { invalidField } from "../fault.ts";
import type { CodePurpose } from "../mail/letters.ts";
import type { MailQueue } from "../mail/mail-queue.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import type { Store, Transaction } from "../store/store.ts";
import { countGuess, type EmailCode, insertCode, lockCodesOf, takeCode } from "./email-code.store.ts";
import { hashLongCode } from "./secret-code.ts";

/** How long a code lives from the moment it is asked for, in milliseconds (ASVS 6.5.5). */
export const codeLifetimeMs = 10 * 60_000;

/** How long an invitation lives. Its code has 120 bits, so that nobody can guess it meanwhile. */
export const invitationLifetimeMs = 7 * 86_400_000;

/** What a code is asked for. `genuine: false` asks for one that will never be sent, in the same time and with the same answer. */
export type CodeRequest = {
  purpose: CodePurpose;
  email: string;
  genuine: boolean;
  userId?: string;
  details?: Record<string, string>;
};

/** Codes that reach people by e-mail. */
export type EmailCodes = {
  /** Asks for a code. The code itself is made when it is sent. */
  request(tx: Transaction, request: CodeRequest): Promise<{ id: string; expireTime: Date }>;
  /**
   * Uses a code: `effect` runs in the transaction that ends it, so that of two who show it one has the effect. Throws `invalid` for a code that is wrong, used,
   * expired, guessed at too often or never was, in the same words and after the same work.
   */
  redeem<T>(
    shown: { id: string; purpose: CodePurpose; code: string },
    signal: AbortSignal,
    effect: (tx: Transaction, code: EmailCode) => Promise<T>,
  ): Promise<T>;
};

export function createEmailCodes(deps: {
  store: Store;
  passwords: PasswordHasher;
  mail: MailQueue;
  now: () => Date;
}): EmailCodes {
  const { store, passwords, mail, now } = deps;

  async function matches(purpose: CodePurpose, hash: string | undefined, code: string, signal: AbortSignal) {
    if (purpose !== "invitation") return await passwords.verify(hash, code.replace(/[\s-]/g, ""), signal);
    const shown = hashLongCode(code);
    const right = hash === undefined ? Buffer.alloc(shown.length) : Buffer.from(hash, "hex");
    return timingSafeEqual(right, shown);
  }

  return {
    async request(tx, { purpose, email, genuine, userId, details = {} }) {
      const createTime = now();
      const lifetime = purpose === "invitation" ? invitationLifetimeMs : codeLifetimeMs;
      const code: EmailCode = {
        id: randomUUID(),
        purpose,
        userId: userId ?? null,
        email,
        emailKey: emailKey(email),
        genuine,
        details,
        createTime,
        expireTime: new Date(createTime.getTime() + lifetime),
      };
      await insertCode(tx, code);
      await mail.sendCode(tx, code.id);
      return { id: code.id, expireTime: code.expireTime };
    },

    async redeem({ id, purpose, code }, signal, effect) {
      // Committed by itself: a guess counts whatever comes after it.
      const found = await countGuess(store.on(signal), { id, purpose, now: now() });
      const hash = found?.codeHash ?? undefined;
      const right = await matches(purpose, hash, code, signal);
      if (!right || found === undefined || hash === undefined) throw wrongCode();
      return await store.transaction(signal, async (tx) => {
        await lockCodesOf(tx, found);
        if (!(await takeCode(tx, id, hash))) throw wrongCode();
        return await effect(tx, found);
      });
    },
  };
}

function wrongCode(): Error {
  return invalidField("code", "is wrong, has been used or has expired; ask for a new one");
}
