import { randomUUID } from "node:crypto";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { KeyService } from "@kinora/proto-user";
import { DomainError, requireUser } from "@kinora/rpc";
import { recordEvent } from "../audit/audit.store.ts";
import { originOf } from "../check/origin.ts";
import type { AccountDeletion } from "../deletion/account-deletion.ts";
import { invalidField } from "../fault.ts";
import { deleteLimits } from "../quota/limits.store.ts";
import { breaks } from "../store/database-fault.ts";
import type { Sql, Store } from "../store/store.ts";
import { requireAbove, requireAdministrator } from "./administrator.ts";
import { builtInAccounts } from "./built-in-keys.ts";
import { refusedScopes, scopesOfKind } from "./grant.ts";
import {
  countServiceAccounts,
  deleteServiceAccount,
  findServiceAccount,
  insertServiceAccount,
  listServiceAccounts,
  setServiceAccountDisabled,
} from "./key.store.ts";
import { kindOf, toServiceAccountMessage } from "./key-message.ts";
import { maxServiceAccounts, type ServiceAccount } from "./service-account.ts";

/** Those methods of user.v1.KeyService that are about service accounts. All are for administrators. */
export type ServiceAccountHandlers = Pick<
  ServiceImpl<typeof KeyService>,
  | "createServiceAccount"
  | "listServiceAccounts"
  | "disableServiceAccount"
  | "enableServiceAccount"
  | "deleteServiceAccount"
>;

export function createServiceAccountHandlers(deps: {
  store: Store;
  deletion: AccountDeletion;
  now: () => Date;
}): ServiceAccountHandlers {
  const { store, deletion, now } = deps;
  const note = (sql: Sql, context: HandlerContext, what: string, details: Record<string, string>) => {
    const { userId } = requireUser(context);
    const type = `service_account.${what}` as const;
    return recordEvent(sql, { type, userId, actorId: userId, origin: originOf(context), time: now(), details });
  };

  /** Disables or enables; once is as often as twice. */
  async function setDisabled(id: string, disableTime: Date | null, context: HandlerContext): Promise<ServiceAccount> {
    return await store.transaction(context.signal, async (tx) => {
      await requireAdministrator(tx, requireUser(context), now());
      const account = await findServiceAccount(tx, id);
      if (account === undefined) throw new DomainError("not_found", "no such service account");
      if ((account.disableTime === null) === (disableTime === null)) return account;
      await setServiceAccountDisabled(tx, id, disableTime);
      await note(tx, context, disableTime === null ? "enabled" : "disabled", { serviceAccountId: id });
      return { ...account, disableTime };
    });
  }

  return {
    async createServiceAccount(request, context) {
      const caller = requireUser(context);
      const kind = kindOf(request.kind);
      if (kind === undefined) throw invalidField("kind", "is required"); // the contract's rules say so already
      const scopes = request.scopes.length === 0 ? [...scopesOfKind(kind)] : [...new Set(request.scopes)];
      const refused = refusedScopes(scopes, new Set(scopesOfKind(kind)));
      if (refused.length > 0) throw invalidField("scopes", `a ${kind} can't have ${refused.join(", ")}`);
      const { name } = request;
      const account: ServiceAccount = { id: randomUUID(), name, kind, scopes, createTime: now(), disableTime: null };
      try {
        await store.transaction(context.signal, async (tx) => {
          await requireAdministrator(tx, caller, now());
          await requireAbove(tx, caller, kind);
          if ((await countServiceAccounts(tx)) >= maxServiceAccounts) {
            throw new DomainError("failed_precondition", `there are ${maxServiceAccounts} service accounts already`);
          }
          await insertServiceAccount(tx, account);
          await note(tx, context, "created", { serviceAccountId: account.id, name, kind });
        });
      } catch (error) {
        if (!breaks(error, "service_accounts_name_key")) throw error;
        throw new DomainError("already_exists", `there is a service account ${name} already`);
      }
      return { serviceAccount: toServiceAccountMessage(account) };
    },

    async listServiceAccounts(_request, context) {
      const sql = store.on(context.signal);
      await requireAdministrator(sql, requireUser(context), now());
      return { serviceAccounts: (await listServiceAccounts(sql)).map(toServiceAccountMessage) };
    },

    async disableServiceAccount({ id }, context) {
      return { serviceAccount: toServiceAccountMessage(await setDisabled(id, now(), context)) };
    },

    async enableServiceAccount({ id }, context) {
      return { serviceAccount: toServiceAccountMessage(await setDisabled(id, null, context)) };
    },

    async deleteServiceAccount({ id }, context) {
      await store.transaction(context.signal, async (tx) => {
        await requireAdministrator(tx, requireUser(context), now());
        const account = await findServiceAccount(tx, id);
        if (account === undefined) return;
        if (builtInAccounts.some(({ name }) => name === account.name)) {
          throw new DomainError(
            "failed_precondition",
            `the installation itself uses ${account.name}; disable it instead`,
          );
        }
        if (!(await deleteServiceAccount(tx, account.id))) return;
        await deleteLimits(tx, account.id);
        // Only programs have videos.
        if (account.kind === "program") await deletion.enqueue(tx, account.id);
        await note(tx, context, "deleted", { serviceAccountId: account.id });
      });
      deletion.hurry();
      return {};
    },
  };
}
