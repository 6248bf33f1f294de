import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { AccountService } from "@kinora/proto-user";
import { DomainError, requireUser } from "@kinora/rpc";
import { recordEvent } from "../audit/audit.store.ts";
import type { AuditEntry } from "../audit/audit.ts";
import type { Checks } from "../check/checks.ts";
import { originOf } from "../check/origin.ts";
import { requireRecentLogin } from "../check/recent-login.ts";
import { admitAttempt, attemptKeys, codeRules, forgiveAttempt, mailRules } from "../check/throttle.ts";
import { deleteCodes } from "../code/email-code.store.ts";
import type { EmailCodes } from "../code/email-codes.ts";
import { enrolledFactors } from "../factor/second-factors.store.ts";
import { invalidField } from "../fault.ts";
import type { MailQueue } from "../mail/mail-queue.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import { isShort, normalizePassword, passwordFault } from "../password/password-policy.ts";
import { requireLive } from "../session/live-caller.ts";
import { endSessions, hasSessionFrom } from "../session/session.store.ts";
import { breaks } from "../store/database-fault.ts";
import type { Sql, Store, Transaction } from "../store/store.ts";
import {
  changeEmail,
  findAccount,
  findCredential,
  lockAccounts,
  setPasswordHash,
  verifyEmail,
} from "./account.store.ts";
import type { Account } from "./account.ts";
import { toUserMessage } from "./account-message.ts";
import { emailKey, hasControlCharacters } from "./email.ts";
import { exportAccount } from "./export.ts";
import type { createSignUp } from "./sign-up.ts";

/** What the handlers of user.v1.AccountService need. */
export type AccountHandlersDeps = {
  store: Store;
  passwords: PasswordHasher;
  checks: Checks;
  codes: EmailCodes;
  mail: MailQueue;
  signUps: ReturnType<typeof createSignUp>;
  now: () => Date;
};

/** Answers user.v1.AccountService: what people do about their own account. */
export function createAccountHandlers(deps: AccountHandlersDeps): ServiceImpl<typeof AccountService> {
  const { store, passwords, checks, codes, mail, signUps, now } = deps;

  /** Notes what an account's holder did about it. */
  const note = (sql: Sql, type: AuditEntry["type"], context: HandlerContext, userId: string | undefined) =>
    recordEvent(sql, { type, userId, origin: originOf(context), time: now() });

  /** The caller's account; refused where it, or the session, has ended since the access token was made. */
  async function own(sql: Sql, context: HandlerContext): Promise<Account> {
    await requireLive(sql, requireUser(context), now());
    const account = await findAccount(sql, requireUser(context).userId);
    if (account === undefined) throw new DomainError("unauthenticated", "this account has been deleted");
    return account;
  }

  /** Bounds the letters to a mailbox; an attacker's requests from elsewhere don't count for addresses where the account is at home. */
  async function admitLetter(subject: string, userId: string | undefined, context: HandlerContext): Promise<void> {
    const { address } = originOf(context);
    const known = userId !== undefined && (await hasSessionFrom(store.on(context.signal), userId, address, now()));
    await admitAttempt(store, context.signal, attemptKeys(subject, address, known, mailRules, "mail-"), now());
  }

  /** Bounds the codes that an address may try; a right one is taken back. */
  async function underCodeThrottle<T>(context: HandlerContext, work: () => Promise<T>): Promise<T> {
    const keys = attemptKeys("", originOf(context).address, true, codeRules, "code-");
    await admitAttempt(store, context.signal, keys, now());
    const result = await work();
    // What was asked for is done: a count that stays is no reason to say that it isn't.
    await forgiveAttempt(store, context.signal, keys).catch(() => {});
    return result;
  }

  /** Codes that were asked for while somebody else may have known the password are worth nothing after it. */
  async function deleteOpenCodes(tx: Transaction, userId: string): Promise<void> {
    await deleteCodes(tx, userId, "reset_password");
    await deleteCodes(tx, userId, "change_email");
  }

  async function checkNewPassword(sql: Sql, account: Account, password: string, field: string): Promise<string> {
    const text = normalizePassword(password);
    const secondFactor = (await enrolledFactors(sql, account.id)).length > 0;
    const fault = passwordFault(text, { email: account.email, name: account.name, secondFactor });
    if (fault !== undefined) throw invalidField(field, fault);
    return text;
  }

  return {
    async verifySignUp(request, context) {
      const account = await underCodeThrottle(context, () => signUps.verify(request, context));
      return { user: toUserMessage(account) };
    },

    async requestEmailVerification(_request, context) {
      const account = await own(store.on(context.signal), context);
      await admitLetter(emailKey(account.email), account.id, context);
      const { id, expireTime } = await store.transaction(context.signal, (tx) =>
        codes.request(tx, { purpose: "verify_email", email: account.email, genuine: true, userId: account.id }),
      );
      mail.hurry();
      return { verificationId: id, expireTime: timestampFromDate(expireTime) };
    },

    async verifyEmail({ verificationId: id, code }, context) {
      const { userId } = requireUser(context);
      const account = await codes.redeem({ id, purpose: "verify_email", code }, context.signal, async (tx, found) => {
        await requireLive(tx, requireUser(context), now());
        const verified = found.userId === userId ? await verifyEmail(tx, userId, found.emailKey, now()) : undefined;
        if (verified === undefined) throw invalidField("code", "is not for your address as it is now");
        await note(tx, "email.verified", context, userId);
        return verified;
      });
      return { user: toUserMessage(account) };
    },

    async requestPasswordReset({ email }, context) {
      if (hasControlCharacters(email)) throw invalidField("email", "must not contain control characters");
      const key = emailKey(email);
      // Known and unknown addresses go the same way: each look-up, each count, one code and one job (ASVS 6.3.8).
      const found = await findCredential(store.on(context.signal), key);
      await admitLetter(key, found?.id ?? crypto.randomUUID(), context);
      const { id, expireTime } = await store.transaction(context.signal, async (tx) => {
        await note(tx, "password.reset_requested", context, found?.id);
        const genuine = found !== undefined && found.disableTime === null;
        return await codes.request(tx, {
          purpose: "reset_password",
          email: found?.email ?? email,
          genuine,
          ...(found !== undefined && { userId: found.id }),
        });
      });
      mail.hurry();
      return { resetId: id, expireTime: timestampFromDate(expireTime) };
    },

    resetPassword: ({ resetId: id, code, password }, context) =>
      underCodeThrottle(context, async () => {
        const { signal } = context;
        const shown = { id, purpose: "reset_password" as const, code };
        // Hashed before the transaction, which is to be short; the password's own rules need the account, so they are checked within.
        const text = normalizePassword(password);
        const hash = await passwords.hash(text, signal);
        try {
          await codes.redeem(shown, signal, async (tx, { userId }) => {
            const account = userId === null ? undefined : await findAccount(tx, userId);
            if (account === undefined) throw invalidField("code", "is for an account that is gone");
            await checkNewPassword(tx, account, password, "password");
            await setPasswordHash(tx, account.id, { hash, short: isShort(text) }, now());
            await endSessions(tx, account.id);
            await deleteOpenCodes(tx, account.id);
            await note(tx, "password.reset", context, account.id);
            await mail.sendNotice(tx, { kind: "password_changed", to: account.email });
          });
        } catch (error) {
          await note(store.on(signal), "password.reset_failed", context, undefined);
          throw error;
        }
        mail.hurry();
        return {};
      }),

    async changePassword({ currentPassword, newPassword }, context) {
      const { signal } = context;
      const caller = requireUser(context);
      const account = await own(store.on(signal), context);
      await checks.verify(account.id, { case: "password", value: currentPassword }, originOf(context), signal);
      const text = await checkNewPassword(store.on(signal), account, newPassword, "new_password");
      const hash = await passwords.hash(text, signal);
      await store.transaction(signal, async (tx) => {
        // Since the passwords were checked, somebody else may have changed the current one, which has ended this session, or removed the factor beside which the new one may be short.
        await lockAccounts(tx, [account.id]);
        await requireLive(tx, caller, now());
        await checkNewPassword(tx, account, newPassword, "new_password");
        await setPasswordHash(tx, account.id, { hash, short: isShort(text) }, now());
        await endSessions(tx, account.id, { except: caller.sessionId });
        await deleteOpenCodes(tx, account.id);
        await note(tx, "password.changed", context, account.id);
        await mail.sendNotice(tx, { kind: "password_changed", to: account.email });
      });
      mail.hurry();
      return {};
    },

    async requestEmailChange({ email }, context) {
      const { signal } = context;
      const caller = requireUser(context);
      const account = await own(store.on(signal), context);
      await requireRecentLogin(store.on(signal), caller, now());
      await admitLetter(emailKey(email), account.id, context);
      const { id, expireTime } = await store.transaction(signal, async (tx) => {
        const taken = await findCredential(tx, emailKey(email));
        await note(tx, "email.change_requested", context, account.id);
        const genuine = taken === undefined || taken.id === account.id;
        return await codes.request(tx, { purpose: "change_email", email, genuine, userId: account.id });
      });
      mail.hurry();
      return { changeId: id, expireTime: timestampFromDate(expireTime) };
    },

    async changeEmail({ changeId: id, code }, context) {
      const { userId } = requireUser(context);
      const account = await codes
        .redeem({ id, purpose: "change_email", code }, context.signal, async (tx, found) => {
          const before = await own(tx, context);
          if (found.userId !== userId) throw invalidField("code", "is not for your account");
          const { email, emailKey: key } = found;
          const changed = await changeEmail(tx, userId, { email, emailKey: key }, now());
          await deleteCodes(tx, userId, "reset_password");
          await note(tx, "email.changed", context, userId);
          await mail.sendNotice(tx, { kind: "email_changed", to: before.email, email });
          return changed;
        })
        .catch((error: unknown) => {
          if (!breaks(error, "users_email_key_key")) throw error;
          throw new DomainError("already_exists", "this address belongs to another account by now");
        });
      mail.hurry();
      return { user: toUserMessage(account) };
    },

    async exportAccount(_request, context) {
      const { signal } = context;
      const caller = requireUser(context);
      await own(store.on(signal), context);
      return await store.transaction(signal, async (tx) => {
        await requireRecentLogin(tx, caller, now());
        await note(tx, "account.exported", context, caller.userId);
        return { json: JSON.stringify(await exportAccount(tx, caller.userId, now()), undefined, 2) };
      });
    },
  };
}
