import type { Transport } from "@connectrpc/connect";
import type { Database } from "@kinora/database";
import { QuotaService, SessionService, UserService } from "@kinora/proto-user";
import type { HttpRoute, Logger, Routes } from "@kinora/rpc";
import type { JWTVerifyGetKey } from "jose";
import { createUserHandlers } from "./account/user-handlers.ts";
import { createChecks } from "./check/checks.ts";
import { startAccountDeletion } from "./deletion/account-deletion.ts";
import { createPasskeys, relyingPartyOf } from "./factor/passkeys.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { ensureLocalOwner } from "./owner/local-owner.ts";
import { createPasswordHasher } from "./password/password-hasher.ts";
import { createQuotaHandlers } from "./quota/quota-handlers.ts";
import { jwksRoute } from "./session/jwks-route.ts";
import { createSessionHandlers } from "./session/session-handlers.ts";
import { loadSigningKeys } from "./session/signing-keys.ts";
import { createStore } from "./store/store.ts";

/** What the user service needs. */
export type UserServiceDeps = {
  /** With `userMigrations` done. */
  database: Pick<Database, "pool">;
  logger: Logger;
  /** Where encoder.v1.AccountService answers. Used when an account is deleted, not before. */
  encoder: Transport;
  /** KINORA_DATA: `credentials/owner.json` is left in it at the first start. */
  dataDir: string;
  /** How browsers reach the user service: passkeys are bound to its host. Asked for when it is needed, as a port may be chosen late. */
  publicUrl: () => string;
  /** Whether people may make accounts themselves. */
  signUp: "open" | "closed";
  /** Minutes of video per user and month; 0 for no limit. */
  quotaMinutes: number;
  /** The time; for tests. */
  now?: () => Date;
  /** Gives up starting. Has no effect on a started service. */
  signal?: AbortSignal;
};

/** The user service: who people are, their sessions and quotas. */
export type KinoraUserService = {
  routes: Routes;
  http: HttpRoute[];
  /** The public keys of access tokens, for verification in this process. */
  keys: JWTVerifyGetKey;
  /** Stops work in the background; call it before the database's `close`. */
  close(): Promise<void>;
};

/** Starts the user service over an open database. The first start makes its signing key and the owner account. */
export async function createUserService(deps: UserServiceDeps): Promise<KinoraUserService> {
  const { database, logger, encoder, dataDir, publicUrl, signUp, quotaMinutes, now = () => new Date() } = deps;
  if (signUp !== "open" && signUp !== "closed") throw new TypeError(`signUp is ${signUp}; expected open or closed`);
  if (!Number.isSafeInteger(quotaMinutes) || quotaMinutes < 0) {
    throw new TypeError(`quotaMinutes is ${quotaMinutes}; expected a whole number, 0 or more`);
  }
  const signal = deps.signal ?? new AbortController().signal;
  const store = createStore(database);
  const passwords = await createPasswordHasher();
  const keys = await loadSigningKeys(store, signal, now());
  await ensureLocalOwner({ store, passwords, logger, dataDir, now }, signal);
  const deletion = await startAccountDeletion({ database, encoder, logger });
  const passkeys = createPasskeys({ store, relyingParty: relyingPartyOf(publicUrl), now });
  const checks = createChecks({ store, passwords, passkeys, now });
  const housekeeping = startHousekeeping({ store, logger, now });
  return {
    routes(router) {
      router.service(UserService, createUserHandlers({ store, passwords, deletion, signUp, now }));
      router.service(SessionService, createSessionHandlers({ store, checks, keys, now }));
      router.service(QuotaService, createQuotaHandlers({ store, quotaMinutes, now }));
    },
    http: [jwksRoute(keys.jwks)],
    keys: keys.verification,
    async close() {
      await Promise.all([deletion.close(), housekeeping.close()]);
    },
  };
}
