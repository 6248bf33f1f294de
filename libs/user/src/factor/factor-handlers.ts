import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { FactorService, PasskeySchema } from "@kinora/proto-user";
import { DomainError, requireUser } from "@kinora/rpc";
import type { Seal } from "@kinora/service";
import { hasShortPassword, lockAccounts } from "../account/account.store.ts";
import type { Account } from "../account/account.ts";
import { displayNameFault, normalizeDisplayName } from "../account/display-name.ts";
import { recordEvent } from "../audit/audit.store.ts";
import type { AuditType } from "../audit/audit.ts";
import { originOf } from "../check/origin.ts";
import { requireRecentLogin } from "../check/recent-login.ts";
import { createLongCode, hashLongCode } from "../code/secret-code.ts";
import { invalidField } from "../fault.ts";
import type { MailQueue } from "../mail/mail-queue.ts";
import { minLength } from "../password/password-policy.ts";
import { requireLive } from "../session/live-caller.ts";
import { breaks } from "../store/database-fault.ts";
import type { Store, Transaction } from "../store/store.ts";
import { deletePasskey, insertPasskey, listPasskeys, renamePasskey, type StoredPasskey } from "./passkey.store.ts";
import type { Passkeys } from "./passkeys.ts";
import { countRecoveryCodes, deleteRecoveryCodes, replaceRecoveryCodes } from "./recovery-code.store.ts";
import { enrolledFactors } from "./second-factors.store.ts";
import { confirmTotp, deleteTotp, findTotp, putPendingTotp } from "./totp.store.ts";
import { createTotpSecret, describeTotp, totpStep } from "./totp.ts";

/** What the handlers of user.v1.FactorService need. */
export type FactorHandlersDeps = { store: Store; passkeys: Passkeys; totpSeal: Seal; mail: MailQueue; now: () => Date };

/** Recovery codes that an account gets at a time. */
export const recoveryCodeCount = 10;

/** Passkeys that an account may have. */
export const maxPasskeys = 20;

/** Answers user.v1.FactorService: the caller's second factors. */
export function createFactorHandlers(deps: FactorHandlersDeps): ServiceImpl<typeof FactorService> {
  const { store, passkeys, totpSeal, mail, now } = deps;

  /**
   * Runs `work` in a transaction that holds the caller's account, so that changes of its factors come one after another; what it changes is noted and told by e-mail.
   * Refused unless the login is recent.
   */
  async function change<T>(
    context: HandlerContext,
    work: (tx: Transaction, account: Account, tell: Tell) => Promise<T>,
  ): Promise<T> {
    const caller = requireUser(context);
    const result = await store.transaction(context.signal, async (tx) => {
      const account = (await lockAccounts(tx, [caller.userId])).get(caller.userId);
      if (account === undefined || account.disableTime !== null) {
        throw new DomainError("unauthenticated", "this account has been deleted or disabled");
      }
      await requireRecentLogin(tx, caller, now());
      const tell: Tell = async (type, factor) => {
        const event = { type, userId: account.id, actorId: account.id, origin: originOf(context), time: now() };
        await recordEvent(tx, { ...event, details: { factor } });
        if (type === "recovery_codes.created") return;
        const kind = type === "factor.added" ? "factor_added" : "factor_removed";
        await mail.sendNotice(tx, { kind, to: account.email, factor: spoken[factor] ?? factor });
      };
      return await work(tx, account, tell);
    });
    mail.hurry();
    return result;
  }

  /** New recovery codes, in place of those before. */
  async function makeRecoveryCodes(tx: Transaction, userId: string): Promise<string[]> {
    const codes = Array.from({ length: recoveryCodeCount }, createLongCode);
    await replaceRecoveryCodes(tx, userId, codes.map(hashLongCode));
    return codes;
  }

  /** The first factor of an account comes with recovery codes: a phone may be lost. */
  async function firstRecoveryCodes(tx: Transaction, userId: string): Promise<string[]> {
    return (await countRecoveryCodes(tx, userId)) > 0 ? [] : await makeRecoveryCodes(tx, userId);
  }

  /**
   * What goes with the last second factor: recovery codes, which stand in for one, and without one would be a second password. Refused where the password isn't long enough to be the
   * only factor (ASVS 6.2.1).
   */
  async function settleRemoval(tx: Transaction, userId: string): Promise<void> {
    if ((await enrolledFactors(tx, userId)).length > 0) return;
    if (await hasShortPassword(tx, userId)) {
      throw new DomainError(
        "failed_precondition",
        `your password is too short to be alone; change it to one of ${minLength} characters or more first`,
      );
    }
    await deleteRecoveryCodes(tx, userId);
  }

  async function requireRoom(tx: Transaction, userId: string): Promise<void> {
    if ((await listPasskeys(tx, userId)).length < maxPasskeys) return;
    throw new DomainError("failed_precondition", `an account has at most ${maxPasskeys} passkeys; remove one first`);
  }

  return {
    async listFactors(_request, context) {
      const { userId } = requireUser(context);
      const sql = store.on(context.signal);
      return {
        totp: (await enrolledFactors(sql, userId)).includes("totp"),
        passkeys: (await listPasskeys(sql, userId)).map(toMessage),
        recoveryCodes: await countRecoveryCodes(sql, userId),
      };
    },

    startTotp: (_request, context) =>
      change(context, async (tx, account) => {
        const secret = createTotpSecret();
        await putPendingTotp(tx, account.id, totpSeal.seal(account.id, secret));
        return describeTotp(secret, account.email);
      }),

    confirmTotp: ({ code }, context) =>
      change(context, async (tx, account, tell) => {
        const sealed = (await findTotp(tx, account.id))?.pendingSecret;
        const secret = sealed ? totpSeal.open(account.id, sealed) : undefined;
        if (sealed == null || secret === undefined)
          throw new DomainError("failed_precondition", "no app is being set up; start again");
        const step = totpStep(secret, code, now());
        if (step === undefined) throw invalidField("code", "is not what the app should show now; check the clock");
        await confirmTotp(tx, { userId: account.id, secret: sealed, step, now: now() });
        await tell("factor.added", "totp");
        return { recoveryCodes: await firstRecoveryCodes(tx, account.id) };
      }),

    removeTotp: (_request, context) =>
      change(context, async (tx, account, tell) => {
        if (await deleteTotp(tx, account.id)) await tell("factor.removed", "totp");
        await settleRemoval(tx, account.id);
        return {};
      }),

    createRecoveryCodes: (_request, context) =>
      change(context, async (tx, account, tell) => {
        if ((await enrolledFactors(tx, account.id)).length === 0) {
          throw new DomainError("failed_precondition", "recovery codes are for accounts with a second factor; add one");
        }
        await tell("recovery_codes.created", "recovery_code");
        return { recoveryCodes: await makeRecoveryCodes(tx, account.id) };
      }),

    async startPasskey(_request, context) {
      const account = await change(context, async (tx, account) => {
        await requireRoom(tx, account.id);
        return account;
      });
      return await passkeys.startRegistration(account, context.signal);
    },

    async confirmPasskey({ challengeId, credentialJson, name }, context) {
      const { userId } = requireUser(context);
      const shown = readName(name);
      const answer = { userId, challengeId, credentialJson, name: shown };
      const passkey = await passkeys.finishRegistration(answer, context.signal);
      const recoveryCodes = await change(context, async (tx, account, tell) => {
        await requireRoom(tx, account.id); // others may have been confirmed since this one was started
        await insertPasskey(tx, passkey);
        await tell("factor.added", "passkey");
        return await firstRecoveryCodes(tx, account.id);
      }).catch((error: unknown) => {
        if (!breaks(error, "passkeys_credential_id_key")) throw error;
        throw new DomainError("already_exists", "this passkey is registered already");
      });
      return { passkey: toMessage(passkey), recoveryCodes };
    },

    async renamePasskey({ id, name }, context) {
      const caller = requireUser(context);
      const sql = store.on(context.signal);
      await requireLive(sql, caller, now());
      const renamed = await renamePasskey(sql, caller.userId, id, readName(name));
      if (renamed === undefined) throw new DomainError("not_found", "you have no such passkey");
      return { passkey: toMessage(renamed) };
    },

    removePasskey: ({ id }, context) =>
      change(context, async (tx, account, tell) => {
        if (await deletePasskey(tx, account.id, id)) await tell("factor.removed", "passkey");
        await settleRemoval(tx, account.id);
        return {};
      }),
  };
}

type Tell = (
  type: Extract<AuditType, "factor.added" | "factor.removed" | "recovery_codes.created">,
  factor: string,
) => Promise<void>;

const spoken: Record<string, string> = { totp: "an authenticator app", passkey: "a passkey" };

function readName(name: string): string {
  const shown = normalizeDisplayName(name);
  const fault = displayNameFault(shown);
  if (fault !== undefined) throw invalidField("name", fault);
  return shown;
}

function toMessage(passkey: StoredPasskey): MessageInitShape<typeof PasskeySchema> {
  const { id, name, createTime, lastUseTime, synced } = passkey;
  return {
    id,
    name,
    synced,
    createTime: timestampFromDate(createTime),
    ...(lastUseTime !== null && { lastUseTime: timestampFromDate(lastUseTime) }),
  };
}
