import { DomainError } from "@kinora/rpc";
import type { Seal } from "@kinora/service";
import { replacePasswordHash } from "../account/account.store.ts";
import type { Account } from "../account/account.ts";
import { emailKey, hasControlCharacters } from "../account/email.ts";
import { recordEvent } from "../audit/audit.store.ts";
import { hashLongCode } from "../code/secret-code.ts";
import type { PasskeyOptions, Passkeys } from "../factor/passkeys.ts";
import { useRecoveryCode } from "../factor/recovery-code.store.ts";
import { findTotp, useTotpStep } from "../factor/totp.store.ts";
import { totpStep } from "../factor/totp.ts";
import { invalidField } from "../fault.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import { hasSessionFrom } from "../session/session.store.ts";
import type { Store } from "../store/store.ts";
import type { Factor, PassedCheck, SecondFactor } from "./assurance.ts";
import { countLogin, passAttempt } from "./attempt.store.ts";
import type { Origin } from "./origin.ts";
import { type Counted, type Counter, countAttempt } from "./throttle.store.ts";
import { admitAttempt, attemptKeys, factorRules, refuseIfFull } from "./throttle.ts";

/** Something that somebody shows to prove who they are. */
export type Check =
  | { case: "password"; value: string }
  | { case: "totp"; value: string }
  | { case: "recoveryCode"; value: string }
  | { case: "passkey"; value: { challengeId: string; credentialJson: string } };

/**
 * Who it is, by what, and which second factors they have. `passwordHash` is what a password was right by: where the account has another one by the time that something comes of
 * the check, it was the password before.
 */
export type Identified = {
  account: Account;
  check: PassedCheck;
  enrolled: SecondFactor[];
  passwordHash?: string | undefined;
};

/**
 * Verifies what people show at a login. Every attempt is throttled before anything is looked at, and is in the audit log afterwards. Throws `unauthenticated` in the
 * same words and after the same work for unknown accounts and wrong secrets, `exhausted` with the seconds to wait, `permission_denied` for disabled accounts whose
 * secret was right.
 */
export type Checks = {
  identify(login: { email: string; password: string }, origin: Origin, signal: AbortSignal): Promise<Identified>;
  identifyByPasskey(
    answer: { challengeId: string; credentialJson: string },
    origin: Origin,
    signal: AbortSignal,
  ): Promise<Identified>;
  /** A further check of somebody who is known. */
  verify(userId: string, check: Check, origin: Origin, signal: AbortSignal): Promise<PassedCheck>;
  /** A challenge for a passkey of this user, or of whoever has one. */
  startPasskey(userId: string | undefined, origin: Origin, signal: AbortSignal): Promise<PasskeyOptions>;
};

export function createChecks(deps: {
  store: Store;
  passwords: PasswordHasher;
  passkeys: Passkeys;
  totpSeal: Seal;
  now: () => Date;
}): Checks {
  const { store, passwords, passkeys, totpSeal, now } = deps;

  /** Verifies what was counted, if it is admitted, and notes what came of it. `verify` says whose secret it was, and undefined for nobody's. */
  async function attempt(
    factor: Factor,
    at: { counted: Counted; keys: Counter[]; userId: string | undefined; origin: Origin; signal: AbortSignal },
    verify: () => Promise<string | undefined>,
  ): Promise<Identified> {
    const { counted, keys, userId, origin, signal } = at;
    const event = () => ({ origin, time: now(), details: { factor } });
    const note = (type: "check.failed" | "check.throttled") =>
      recordEvent(store.on(signal), { ...event(), type, userId });
    if (!counted.admitted) await note("check.throttled");
    refuseIfFull(counted, now());
    const proven = await verify();
    if (proven === undefined) {
      await note("check.failed");
      throw refusals[factor]();
    }
    const passed = { ...event(), type: "check.passed", userId: proven } as const;
    const found = await passAttempt(
      store.on(signal),
      keys.map(({ key }) => key),
      passed,
    );
    if (found === undefined) throw refusals[factor](); // deleted while it was checked
    if (found.account.disableTime !== null) throw accountDisabled();
    return { ...found, check: { factor, time: now() } };
  }

  /** The keys of attempts at a known account. */
  async function keysOf(userId: string, origin: Origin, signal: AbortSignal): Promise<Counter[]> {
    const known = await hasSessionFrom(store.on(signal), userId, origin.address, now());
    return attemptKeys(userId, origin.address, known, factorRules, "factor-");
  }

  /** The hash that the account has for the password, if it is right. */
  async function verifyPassword(phc: string | undefined, password: string, signal: AbortSignal) {
    const right = await passwords.verify(phc, password, signal);
    if (!right || phc === undefined || !passwords.isOutdated(phc)) return right ? phc : undefined;
    const renewed = await passwords.hash(password, signal);
    await replacePasswordHash(store.on(signal), phc, renewed);
    return renewed;
  }

  const verifiers: Record<Check["case"], (userId: string, value: never, signal: AbortSignal) => Promise<boolean>> = {
    async password(userId, value: string, signal) {
      const [found] = await store
        .on(signal)
        .query<{ hash: string }>("select password_hash as hash from users where id = $1", [userId]);
      return (await verifyPassword(found?.hash, value, signal)) !== undefined;
    },
    async totp(userId, value: string, signal) {
      const sql = store.on(signal);
      const sealed = (await findTotp(sql, userId))?.secret;
      const secret = sealed ? totpSeal.open(userId, sealed) : undefined;
      const step = secret && totpStep(secret, value, now());
      return sealed != null && step !== undefined && (await useTotpStep(sql, userId, sealed, step));
    },
    recoveryCode: (userId, value: string, signal) => useRecoveryCode(store.on(signal), userId, hashLongCode(value)),
    async passkey(userId, value: { challengeId: string; credentialJson: string }, signal) {
      return (await passkeys.finishLogin({ userId, ...value }, signal)) !== undefined;
    },
  };

  return {
    async identify({ email, password }, origin, signal) {
      if (hasControlCharacters(email)) throw invalidField("email", "must not contain control characters");
      const key = emailKey(email);
      const [account, ...others] = attemptKeys(key, origin.address, false);
      if (account === undefined) throw new RangeError("an account without a count");
      // Known and unknown accounts go the same way in the same time: one look-up, one count and one hash (ASVS 6.3.8).
      const {
        credential: found,
        counters: keys,
        counted,
      } = await countLogin(
        store.on(signal),
        { emailKey: key, clientAddress: origin.address },
        { account, others },
        now(),
      );
      let passwordHash: string | undefined;
      const identified = await attempt("password", { counted, keys, userId: found?.id, origin, signal }, async () => {
        passwordHash = await verifyPassword(found?.passwordHash, password, signal);
        return passwordHash === undefined ? undefined : found?.id;
      });
      return { ...identified, passwordHash };
    },

    async identifyByPasskey(answer, origin, signal) {
      // The answer itself names the account, so there is nobody's account to guess at: only the address counts.
      const keys = attemptKeys("", origin.address, true, factorRules, "passkey-");
      const counted = await countAttempt(store.on(signal), keys, now());
      return await attempt("passkey", { counted, keys, userId: undefined, origin, signal }, async () => {
        return (await passkeys.finishLogin({ userId: undefined, ...answer }, signal))?.userId;
      });
    },

    async verify(userId, check, origin, signal) {
      const factor = factors[check.case];
      const keys = await keysOf(userId, origin, signal);
      const counted = await countAttempt(store.on(signal), keys, now());
      const passed = await attempt(factor, { counted, keys, userId, origin, signal }, async () => {
        return (await verifiers[check.case](userId, check.value as never, signal)) ? userId : undefined;
      });
      return passed.check;
    },

    async startPasskey(userId, origin, signal) {
      const keys = attemptKeys(userId ?? "", origin.address, true, challengeRules, "challenge-");
      await admitAttempt(store, signal, keys, now());
      return await passkeys.startLogin(userId, signal);
    },
  };
}

/** Challenges cost a row for five minutes each. */
const challengeRules = {
  account: { attempts: 0, seconds: 300 },
  address: { attempts: 300, seconds: 300 },
  pair: { attempts: 300, seconds: 300 },
};

const factors = {
  password: "password",
  totp: "totp",
  recoveryCode: "recovery_code",
  passkey: "passkey",
} as const satisfies Record<Check["case"], Factor>;

const refusals: Record<Factor, () => DomainError> = {
  password: () => new DomainError("unauthenticated", "the e-mail address or the password is wrong"),
  totp: () =>
    new DomainError("unauthenticated", "the code is wrong or has been used; wait for the app's next one and try that"),
  recovery_code: () => new DomainError("unauthenticated", "the recovery code is wrong or has been used"),
  passkey: () => new DomainError("unauthenticated", "the passkey wasn't accepted; start again"),
};

function accountDisabled(): DomainError {
  return new DomainError("permission_denied", "this account has been disabled; ask an administrator of this Kinora");
}
