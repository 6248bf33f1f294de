import type { HandlerContext } from "@connectrpc/connect";
import type { FactorService, KeyService, QuotaService, SessionService, UserService } from "@kinora/proto-user";
import { callerOf, type Owner, type Owners, requireUser } from "@kinora/rpc";
import { ownsPasskey } from "./factor/passkey.store.ts";
import { isAdministrator } from "./key/administrator.ts";
import { findKey, findServiceAccount } from "./key/key.store.ts";
import { requireLive } from "./session/live-caller.ts";
import { ownsSession } from "./session/session.store.ts";
import type { Store } from "./store/store.ts";

/** Whose the resources are that requests to each service name, for `owned`. */
export type ResourceOwners = {
  users: Owners<typeof UserService>;
  factors: Owners<typeof FactorService>;
  sessions: Owners<typeof SessionService>;
  keys: Owners<typeof KeyService>;
  quotas: Owners<typeof QuotaService>;
};

/** What administrators may do with others' accounts, policy.ts narrows further, under a lock. */
export function createOwners(deps: { store: Store; now: () => Date }): ResourceOwners {
  const { account, session, key, serviceAccount, passkey } = resources(deps);
  return {
    users: { getUser: account, updateUser: account, deleteUser: account, disableUser: account, enableUser: account },
    factors: { renamePasskey: passkey, removePasskey: { ...passkey, nothingIsDone: true } },
    sessions: { endSession: session },
    keys: { createKey: serviceAccount, listKeys: serviceAccount, deleteKey: key },
    quotas: { getQuota: account, setQuotaLimits: account },
  };
}

function resources({ store, now }: { store: Store; now: () => Date }) {
  return {
    account: {
      what: "user",
      isTheirs(id: string, context: HandlerContext) {
        const caller = callerOf(context);
        if (caller.kind !== "user") return caller.kind === "service";
        return caller.userId === id.toLowerCase() || isAdministrator(store.on(context.signal), caller);
      },
    },
    session: {
      what: "session",
      async isTheirs(id: string, context: HandlerContext) {
        const caller = requireUser(context);
        const sql = store.on(context.signal);
        await requireLive(sql, caller, now());
        return await ownsSession(sql, caller.userId, id);
      },
    },
    key: {
      what: "key",
      async isTheirs(id: string, context: HandlerContext) {
        const caller = requireUser(context);
        const sql = store.on(context.signal);
        await requireLive(sql, caller, now());
        const key = await findKey(sql, id);
        if (key === undefined) return false;
        if ((key.userId ?? key.serviceAccountId) === caller.userId) return true;
        return key.serviceAccountId !== null && (await isAdministrator(sql, caller));
      },
    },
    serviceAccount: {
      what: "service account",
      async isTheirs(id: string, context: HandlerContext) {
        const caller = requireUser(context);
        const sql = store.on(context.signal);
        await requireLive(sql, caller, now());
        return (await isAdministrator(sql, caller)) && (await findServiceAccount(sql, id)) !== undefined;
      },
    },
    passkey: {
      what: "passkey",
      isTheirs: (id: string, context: HandlerContext) =>
        ownsPasskey(store.on(context.signal), requireUser(context).userId, id),
    },
  } satisfies Record<string, Owner>;
}
