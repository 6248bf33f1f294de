import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { Database } from "@kinora/database";
import {
  AccountService,
  AuditService,
  FactorService,
  InvitationService,
  KeyService,
  QuotaService,
  SessionService,
  UserService,
} from "@kinora/proto-user";
import { type HttpRoute, type Logger, owned, type Routes } from "@kinora/rpc";
import { createSeal, type KeySource, localCredential, tokenIssuer } from "@kinora/service";
import { createAccountHandlers } from "./account/account-handlers.ts";
import { createSignUp } from "./account/sign-up.ts";
import { createUserHandlers } from "./account/user-handlers.ts";
import { leastAuditDays } from "./audit/audit.ts";
import { createAuditHandlers } from "./audit/audit-handlers.ts";
import { createChecks } from "./check/checks.ts";
import { createEmailCodes } from "./code/email-codes.ts";
import { createAccountDeletion } from "./deletion/account-deletion.ts";
import { createFactorHandlers } from "./factor/factor-handlers.ts";
import { createPasskeys, relyingPartyOf } from "./factor/passkeys.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { createInvitationHandlers } from "./invitation/invitation-handlers.ts";
import { type ConfiguredKeys, createBuiltInKeys } from "./key/built-in-keys.ts";
import { createKeyHandlers } from "./key/key-handlers.ts";
import { createMailQueue } from "./mail/mail-queue.ts";
import { createMailer, type MailSettings } from "./mail/mailer.ts";
import { ensureLocalOwner } from "./owner/local-owner.ts";
import { createOwners } from "./owners.ts";
import { createPasswordHasher, type PasswordHasher } from "./password/password-hasher.ts";
import type { SignUp } from "./policy.ts";
import { createJobQueue } from "./queue/job-queue.ts";
import { createQuotaHandlers } from "./quota/quota-handlers.ts";
import { createSessionHandlers } from "./session/session-handlers.ts";
import { createStore } from "./store/store.ts";
import { createAccessTokens } from "./token/access-token.ts";
import { discoveryRoutes } from "./token/discovery-routes.ts";
import { loadSigningKeys } from "./token/signing-keys.ts";

/** What the user service needs. */
export type UserServiceDeps = {
  /** With `userMigrations` done. */
  database: Pick<Database, "pool" | "url">;
  logger: Logger;
  /** Where encoder.v1.AccountService answers; its calls show the token. Used when an account is deleted, not before. */
  encoder: (token: () => Promise<string>) => Transport;
  /** KINORA_DATA: `credentials/owner.json` is left in it at the first start. */
  dataDir: string;
  /** How browsers reach the user service: passkeys are bound to its host. Asked for when it is needed, as a port may be chosen late. */
  publicUrl: () => string;
  /** Who may make an account. */
  signUp: SignUp;
  /** Whether an account that somebody makes begins only when its address is confirmed. */
  verifyEmail: boolean;
  /** How mail leaves; without a server it stays below `dataDir`. */
  mail: MailSettings;
  /** Days for which the audit log keeps an event, at least `leastAuditDays`; if not given, it has no end. */
  auditDays?: number;
  /** Minutes of video per user and month; 0 for no limit. */
  quotaMinutes: number;
  /** Bytes of sources and streams per user; 0, or if not given, for no limit. */
  quotaStorageBytes?: number;
  /** Seals the signing keys and the secrets of authenticator apps in the database; all replicas share it. If not given, the one in `credentials/signing`. */
  signingSecret?: string | undefined;
  /** API keys that the encoder and the workers begin with; what isn't given is looked for in `credentials/encoder-key` and `credentials/worker-key`. */
  keys?: ConfiguredKeys | undefined;
  /** The issuer of access tokens (`iss`); if not given, the one that every verifier knows. */
  issuer?: (() => string) | undefined;
  /** Hashes passwords; for tests, which count. */
  passwords?: PasswordHasher;
  /** The time; for tests. */
  now?: () => Date;
  /** Gives up starting. Has no effect on a started service. */
  signal?: AbortSignal;
};

/** The user service: who people are, their sessions and quotas. */
export type KinoraUserService = {
  routes: Routes;
  /** Methods that hash a password or a code, and wait for their turn at it. */
  queued: DescMethod[];
  http: HttpRoute[];
  /** The public keys of access tokens, for verification in this process. */
  keys: KeySource;
  /**
   * Begins to send letters and to tell the encoder of deleted accounts, also what was left by an earlier process. To be called once calls are answered: none needs it, and one that
   * leaves such work waits for it.
   */
  work(): Promise<void>;
  /** Stops work in the background; call it before the database's `close`. */
  close(): Promise<void>;
};

/** Starts the user service over an open database. The first start makes its signing key and the owner account. */
export async function createUserService(deps: UserServiceDeps): Promise<KinoraUserService> {
  const {
    database,
    logger,
    encoder,
    dataDir,
    publicUrl,
    signUp,
    verifyEmail,
    mail,
    quotaMinutes,
    quotaStorageBytes = 0,
    now = () => new Date(),
  } = deps;
  if (!["open", "invitation", "closed"].includes(signUp)) {
    throw new TypeError(`signUp is ${signUp}; expected open, invitation or closed`);
  }
  if (!Number.isSafeInteger(quotaMinutes) || quotaMinutes < 0) {
    throw new TypeError(`quotaMinutes is ${quotaMinutes}; expected a whole number, 0 or more`);
  }
  const { auditDays } = deps;
  if (auditDays !== undefined && !(auditDays >= leastAuditDays)) {
    throw new TypeError(`auditDays is ${auditDays}; expected ${leastAuditDays} or more`);
  }
  const signal = deps.signal ?? new AbortController().signal;
  const store = createStore(database);
  const { issuer = () => tokenIssuer } = deps;
  const sealSecret = deps.signingSecret ?? (await localCredential(dataDir, "signing"));
  const seal = createSeal(sealSecret, "signing keys");
  const totpSeal = createSeal(sealSecret, "TOTP secrets");
  const passwords = deps.passwords ?? createPasswordHasher();
  const jobs = createJobQueue({ database, logger });
  // One after the other, on one connection: another one costs more than to wait for an answer.
  const keys = await loadSigningKeys({ store, seal, logger, now, issuer }, signal);
  const tokens = createAccessTokens({ keys, issuer, now });
  const builtInKeys = createBuiltInKeys({ store, logger, dataDir, configured: deps.keys ?? {}, now });
  const toEncoder = encoder(() => tokens.signOwn("encoder"));
  await ensureLocalOwner({ store, passwords, logger, dataDir, now }, signal);
  const mailer = createMailer(mail, { dataDir, logger });
  const deletion = createAccountDeletion({ jobs, encoder: toEncoder, logger });
  const letters = createMailQueue({ jobs, mailer, store, passwords, logger, now });
  const codes = createEmailCodes({ store, passwords, mail: letters, now });
  const signUps = createSignUp({ store, passwords, codes, mail: letters, signUp, verifyEmail, now });
  const passkeys = createPasskeys({ store, relyingParty: relyingPartyOf(publicUrl), now });
  const checks = createChecks({ store, passwords, passkeys, totpSeal, now });
  const housekeeping = startHousekeeping({ store, logger, auditDays, now });
  const owners = createOwners({ store, now });
  return {
    routes(router) {
      const users = createUserHandlers({ store, deletion, signUps, now });
      router.service(UserService, owned(UserService, owners.users, users));
      router.service(
        AccountService,
        createAccountHandlers({ store, passwords, checks, codes, mail: letters, signUps, now }),
      );
      const factors = createFactorHandlers({ store, passkeys, totpSeal, mail: letters, now });
      router.service(FactorService, owned(FactorService, owners.factors, factors));
      router.service(InvitationService, createInvitationHandlers({ store, codes, mail: letters, signUp, now }));
      router.service(AuditService, createAuditHandlers({ store }));
      const sessions = createSessionHandlers({ store, checks, tokens, keys, publicUrl, now });
      router.service(SessionService, owned(SessionService, owners.sessions, sessions));
      const apiKeys = createKeyHandlers({ store, tokens, builtInKeys, deletion, now });
      router.service(KeyService, owned(KeyService, owners.keys, apiKeys));
      const quotas = createQuotaHandlers({ store, quotaMinutes, quotaStorageBytes, now });
      router.service(QuotaService, owned(QuotaService, owners.quotas, quotas));
    },
    queued: hashingMethods,
    http: discoveryRoutes({ keys, issuer, publicUrl }),
    keys,
    work: () => jobs.start(),
    async close() {
      await Promise.all([jobs.close(), housekeeping.close(), keys.close()]);
      mailer.close();
    },
  };
}

const hashingMethods: DescMethod[] = [
  SessionService.method.createSession,
  SessionService.method.addCheck,
  SessionService.method.confirmSession,
  UserService.method.createUser,
  AccountService.method.verifySignUp,
  AccountService.method.verifyEmail,
  AccountService.method.resetPassword,
  AccountService.method.changePassword,
  AccountService.method.changeEmail,
];
