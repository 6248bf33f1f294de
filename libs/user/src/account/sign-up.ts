import { randomUUID } from "node:crypto";
import type { HandlerContext } from "@connectrpc/connect";
import type { CreateUserRequest } from "@kinora/proto-user";
import { callerOf, DomainError, type FieldViolation, permits } from "@kinora/rpc";
import { recordEvent } from "../audit/audit.store.ts";
import { type Origin, originOf } from "../check/origin.ts";
import { admitAttempt, attemptKeys, signUpRules } from "../check/throttle.ts";
import { deleteInvitationOf, lockAddress } from "../code/email-code.store.ts";
import type { EmailCodes } from "../code/email-codes.ts";
import { invalidField, invalidFields } from "../fault.ts";
import type { MailQueue } from "../mail/mail-queue.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import { normalizePassword, passwordFault } from "../password/password-policy.ts";
import { canCreate, canGrant, type SignUp } from "../policy.ts";
import { isLive } from "../session/live-caller.ts";
import { breaks } from "../store/database-fault.ts";
import type { Sql, Store, Transaction } from "../store/store.ts";
import { findAccount, findCredential, insertAccount } from "./account.store.ts";
import type { Account, Role } from "./account.ts";
import { birthDateFault } from "./birth-date.ts";
import { displayNameFault, normalizeDisplayName } from "./display-name.ts";
import { emailKey } from "./email.ts";

export type SignUpDeps = {
  store: Store;
  passwords: PasswordHasher;
  codes: EmailCodes;
  mail: MailQueue;
  signUp: SignUp;
  /** Whether an account begins only when its address is confirmed. */
  verifyEmail: boolean;
  now: () => Date;
};

/** What a sign-up came to: an account, or one to come when the code of `verificationId` is shown. */
export type SignedUp = { account: Account; verificationId: string };

/** The ways to an account: by an administrator, by an invitation, by oneself. */
export function createSignUp(deps: SignUpDeps) {
  const { store, passwords, codes, mail, signUp, verifyEmail, now } = deps;

  const newAccount = (request: CreateUserRequest, role: Role): Account => {
    const time = now();
    return {
      id: randomUUID(),
      email: request.email,
      name: normalizeDisplayName(request.name),
      birthDate: request.birthDate,
      role,
      createTime: time,
      updateTime: time,
      emailVerifyTime: null,
      disableTime: null,
    };
  };

  /** Adds the account; false if its address has one. */
  async function add(
    tx: Transaction,
    account: Account,
    passwordHash: string,
    by: { actorId?: string; origin: Origin; how: string },
  ): Promise<boolean> {
    const key = emailKey(account.email);
    await lockAddress(tx, key);
    if ((await findCredential(tx, key)) !== undefined) return false;
    await insertAccount(tx, { ...account, emailKey: key, passwordHash });
    await deleteInvitationOf(tx, key);
    const { actorId, origin, how } = by;
    await recordEvent(tx, {
      type: "account.created",
      userId: account.id,
      actorId,
      origin,
      time: now(),
      details: { how, role: account.role },
    });
    return true;
  }

  async function addOrRefuse(...parts: Parameters<typeof add>): Promise<Account> {
    const added = await add(...parts).catch((error: unknown) => {
      if (!breaks(error, taken)) throw error;
      return false;
    });
    if (!added) throw new DomainError("already_exists", "this e-mail address has an account already; log in instead");
    return parts[1];
  }

  /** By somebody unknown: what comes of it is for the mailbox of the address to know. */
  async function signUpByOneself(request: CreateUserRequest, passwordHash: string, context: HandlerContext) {
    const origin = originOf(context);
    const account = newAccount(request, "member");
    const verificationId = await store.transaction(context.signal, async (tx) => {
      await lockAddress(tx, emailKey(request.email));
      const known = (await findCredential(tx, emailKey(request.email))) !== undefined;
      if (verifyEmail) {
        const { name, birthDate } = account;
        const details = { userId: account.id, name, birthDate, passwordHash };
        const { id } = await codes.request(tx, { purpose: "sign_up", email: request.email, genuine: !known, details });
        if (known) await mail.sendNotice(tx, { kind: "sign_up_known", to: request.email });
        return id;
      }
      const made = !known && (await add(tx, account, passwordHash, { origin, how: "sign_up" }));
      await mail.sendNotice(tx, { kind: made ? "welcome" : "sign_up_known", to: request.email });
      return "";
    });
    mail.hurry();
    return { account, verificationId };
  }

  return {
    /** user.v1.UserService.CreateUser. */
    async create(request: CreateUserRequest, context: HandlerContext): Promise<SignedUp> {
      const { signal } = context;
      const origin = originOf(context);
      const actor = await findManager(store.on(signal), context, now());
      const managed = canCreate("closed", actor);
      const invited = request.invitation !== "" && signUp !== "closed";
      if (!canCreate(signUp, actor) && !invited) {
        const way = signUp === "invitation" ? "by invitation" : "closed";
        throw new DomainError("permission_denied", `sign-up is ${way} here; ask an administrator`);
      }
      const violations = faultsOf(request, now());
      if (violations.length > 0) throw invalidFields(violations);
      if (!managed) {
        const keys = attemptKeys(emailKey(request.email), origin.address, false, signUpRules, "sign-up-");
        await admitAttempt(store, signal, keys, now());
      }
      const passwordHash = await passwords.hash(request.password, signal);
      if (managed) {
        const by = { actorId: actor?.id ?? "", origin, how: "administrator" };
        const account = await store.transaction(signal, (tx) =>
          addOrRefuse(tx, newAccount(request, "member"), passwordHash, by),
        );
        return { account, verificationId: "" };
      }
      if (!invited) {
        const signUpNow = () => signUpByOneself(request, passwordHash, context);
        return await signUpNow().catch((error: unknown) => {
          if (!breaks(error, taken)) throw error;
          return signUpNow(); // somebody else took the address at this moment, and now it is seen
        });
      }
      const { id, code } = readInvitation(request.invitation);
      const account = await codes.redeem({ id, purpose: "invitation", code }, signal, async (tx, invitation) => {
        if (invitation.emailKey !== emailKey(request.email))
          throw invalidField("email", "is not the one that was invited");
        if (!(await stillStands(tx, invitation.details))) {
          throw new DomainError(
            "permission_denied",
            "this invitation has lapsed with its sender's role; ask for another",
          );
        }
        const made = { ...newAccount(request, invitation.details.role as Role), emailVerifyTime: now() };
        // Whoever has the code reads the mail of the address, and may know that it has an account.
        return await addOrRefuse(tx, made, passwordHash, { origin, how: "invitation" });
      });
      return { account, verificationId: "" };
    },

    /** user.v1.AccountService.VerifySignUp. */
    async verify(shown: { verificationId: string; code: string }, context: HandlerContext): Promise<Account> {
      const { verificationId: id, code } = shown;
      return await codes.redeem({ id, purpose: "sign_up", code }, context.signal, async (tx, { email, details }) => {
        const time = now();
        const account: Account = {
          id: details.userId ?? randomUUID(),
          email,
          name: details.name ?? "",
          birthDate: details.birthDate ?? "",
          role: "member",
          createTime: time,
          updateTime: time,
          emailVerifyTime: time,
          disableTime: null,
        };
        return await addOrRefuse(tx, account, details.passwordHash ?? "", {
          origin: originOf(context),
          how: "sign_up",
        });
      });
    },
  };
}

function faultsOf(request: CreateUserRequest, today: Date): FieldViolation[] {
  const name = normalizeDisplayName(request.name);
  const owner = { email: request.email, name, secondFactor: false };
  const faults: [string, string | undefined][] = [
    ["name", displayNameFault(name)],
    ["birth_date", request.birthDate === "" ? undefined : birthDateFault(request.birthDate, today)],
    ["password", passwordFault(normalizePassword(request.password), owner)],
  ];
  return faults.flatMap(([field, message]) => (message === undefined ? [] : [{ field, message }]));
}

/** An invitation as its letter has it: `<identifier>:<code>`. */
function readInvitation(text: string): { id: string; code: string } {
  const match = /^\s*([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}):(.+)$/i.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw invalidField("invitation", "must be the code from the invitation's letter");
  }
  return { id: match[1], code: match[2] };
}

/**
 * The caller as the database has them, if their credential is there still and for making others' accounts; undefined for anybody else. The gate doesn't look at the credentials of a
 * public method, so it is done here.
 */
async function findManager(sql: Sql, context: HandlerContext, now: Date): Promise<Account | undefined> {
  const caller = callerOf(context);
  if (caller.kind !== "user" || !permits(caller.audiences, "user") || !permits(caller.scopes, "users:write")) {
    return undefined;
  }
  return (await isLive(sql, caller, now)) ? await findAccount(sql, caller.userId) : undefined;
}

/** Whether the sender of an invitation could still give its role. Releases before 0.2 didn't note who it was. */
async function stillStands(sql: Sql, { role, by }: Record<string, string>): Promise<boolean> {
  if (by === undefined) return true;
  const sender = await findAccount(sql, by);
  return sender?.disableTime === null && canCreate("closed", sender) && canGrant(sender, role as Role);
}

/** What the database says to the second of two who ask for one address at the same moment. */
const taken = "users_email_key_key";
