import { randomUUID } from "node:crypto";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { KeyService } from "@kinora/proto-user";
import { DomainError, requireUser } from "@kinora/rpc";
import { findAccount } from "../account/account.store.ts";
import { recordEvent } from "../audit/audit.store.ts";
import type { AuditType } from "../audit/audit.ts";
import { originOf } from "../check/origin.ts";
import type { AccountDeletion } from "../deletion/account-deletion.ts";
import { invalidField } from "../fault.ts";
import { manages } from "../policy.ts";
import { requireLive } from "../session/live-caller.ts";
import { breaks } from "../store/database-fault.ts";
import type { Sql, Store } from "../store/store.ts";
import type { AccessTokens } from "../token/access-token.ts";
import { scopesFor } from "../token/scopes.ts";
import { type ApiKey, createKeySecret, hashKey, maxKeys } from "./api-key.ts";
import { refusedScopes, scopesOfKind, tokenScopes } from "./grant.ts";
import {
  countKeys,
  countServiceAccounts,
  deleteKey,
  deleteServiceAccount,
  type ExchangeableKey,
  findExchangeable,
  findKey,
  findServiceAccount,
  insertKey,
  insertServiceAccount,
  type KeyHolder,
  listKeys,
  listServiceAccounts,
  touchKey,
} from "./key.store.ts";
import { kindOf, toKeyMessage, toServiceAccountMessage } from "./key-message.ts";
import { maxServiceAccounts, type ServiceAccount } from "./service-account.ts";

/** What the handlers of user.v1.KeyService need. */
export type KeyHandlersDeps = { store: Store; tokens: AccessTokens; deletion: AccountDeletion; now: () => Date };

type User = ReturnType<typeof requireUser>;

/** When a key was last used is known to the minute: a write for every token would cost more than the token. */
const touchMs = 60_000;
const day = 86_400_000;

/** Answers user.v1.KeyService. */
export function createKeyHandlers({ store, tokens, deletion, now }: KeyHandlersDeps): ServiceImpl<typeof KeyService> {
  const note = (sql: Sql, context: HandlerContext, type: AuditType, caller: User, details: Record<string, string>) => {
    const { userId } = caller;
    return recordEvent(sql, { type, userId, actorId: userId, origin: originOf(context), time: now(), details });
  };

  /** Whether the caller is an administrator at this moment; a token may be ten minutes behind. */
  async function isAdmin(sql: Sql, caller: User): Promise<boolean> {
    const account = await findAccount(sql, caller.userId);
    return account !== undefined && manages(account.role);
  }

  async function requireAdmin(sql: Sql, caller: User): Promise<void> {
    await requireLive(sql, caller, now());
    if (!(await isAdmin(sql, caller))) {
      throw new DomainError("permission_denied", "only administrators and the owner can do this");
    }
  }

  /** Whose keys the caller means: their own, or, as an administrator, a service account's. */
  async function holderFor(
    sql: Sql,
    caller: User,
    serviceAccountId: string,
  ): Promise<{ holder: KeyHolder; account: ServiceAccount | undefined }> {
    await requireLive(sql, caller, now());
    if (serviceAccountId === "") {
      const person = await findAccount(sql, caller.userId);
      const own = person === undefined ? { serviceAccountId: caller.userId } : { userId: caller.userId };
      return { holder: own, account: undefined };
    }
    const account = (await isAdmin(sql, caller)) ? await findServiceAccount(sql, serviceAccountId) : undefined;
    if (account === undefined) throw new DomainError("not_found", "no such service account");
    return { holder: { serviceAccountId: account.id }, account };
  }

  return {
    async createKey(request, context) {
      const caller = requireUser(context);
      const scopes = [...new Set(request.scopes)];
      const { secret, prefix } = createKeySecret();
      const key = await store.transaction(context.signal, async (tx) => {
        const { holder, account } = await holderFor(tx, caller, request.serviceAccountId);
        const available = account === undefined ? caller.scopes : new Set(account.scopes);
        const refused = refusedScopes(scopes, available === "all" ? new Set(scopesFor(caller.role)) : available);
        if (refused.length > 0) {
          const whose = account === undefined ? "you don't have" : `${account.name} can't have`;
          throw invalidField("scopes", `${whose} ${refused.join(", ")}`);
        }
        if ((await countKeys(tx, holder)) >= maxKeys) {
          throw new DomainError("failed_precondition", `there are ${maxKeys} keys already; delete one that isn't used`);
        }
        const time = now();
        const made: ApiKey = {
          id: randomUUID(),
          userId: "userId" in holder ? holder.userId : null,
          serviceAccountId: "userId" in holder ? null : holder.serviceAccountId,
          name: request.name,
          prefix,
          scopes,
          createTime: time,
          expireTime: request.days === 0 ? null : new Date(time.getTime() + request.days * day),
          lastUseTime: null,
        };
        await insertKey(tx, made, hashKey(secret));
        await note(tx, context, "key.created", caller, { keyId: made.id, scopes: scopes.join(" ") });
        return made;
      });
      return { key: toKeyMessage(key), secret };
    },

    async listKeys(request, context) {
      const sql = store.on(context.signal);
      const { holder } = await holderFor(sql, requireUser(context), request.serviceAccountId);
      return { keys: (await listKeys(sql, holder)).map(toKeyMessage) };
    },

    async deleteKey(request, context) {
      const caller = requireUser(context);
      await store.transaction(context.signal, async (tx) => {
        await requireLive(tx, caller, now());
        const key = await findKey(tx, request.id);
        const own = key !== undefined && (key.userId ?? key.serviceAccountId) === caller.userId;
        const managed = key?.serviceAccountId != null && !own && (await isAdmin(tx, caller));
        if (key === undefined || !(own || managed)) throw new DomainError("not_found", "no such key");
        await deleteKey(tx, key.id);
        await note(tx, context, "key.deleted", caller, { keyId: key.id });
      });
      return {};
    },

    async exchangeKey(request, context) {
      const sql = store.on(context.signal);
      const time = now();
      const key = await findExchangeable(sql, hashKey(request.key), time);
      if (key === undefined) {
        throw new DomainError("unauthenticated", "this API key isn't valid: it never was, or it has ended");
      }
      const { kind, role, available } = identityOf(key);
      const scopes = tokenScopes(key, available, request.scopes);
      if (scopes.length === 0) throw invalidField("scopes", "the key has none of these");
      if (key.lastUseTime === null || time.getTime() - key.lastUseTime.getTime() >= touchMs) {
        await touchKey(sql, key.id, time);
      }
      if (key.lastUseTime === null) {
        const event = { userId: key.holderId, actorId: key.holderId, origin: originOf(context), time } as const;
        await recordEvent(sql, { ...event, type: "key.used_first", details: { keyId: key.id } });
      }
      const { token, expireTime } = await tokens.sign({
        subject: key.holderId,
        kind,
        role,
        source: { key: key.id },
        scopes,
        ...(request.audiences.length > 0 && { audiences: request.audiences }),
      });
      return { accessToken: token, expireTime: timestampFromDate(expireTime), scopes };
    },

    async createServiceAccount(request, context) {
      const caller = requireUser(context);
      const kind = kindOf(request.kind);
      if (kind === undefined) throw invalidField("kind", "is required"); // the contract's rules say so already
      const scopes = request.scopes.length === 0 ? [...scopesOfKind(kind)] : [...new Set(request.scopes)];
      const refused = refusedScopes(scopes, new Set(scopesOfKind(kind)));
      if (refused.length > 0) throw invalidField("scopes", `a ${kind} can't have ${refused.join(", ")}`);
      const account: ServiceAccount = { id: randomUUID(), name: request.name, kind, scopes, createTime: now() };
      try {
        await store.transaction(context.signal, async (tx) => {
          await requireAdmin(tx, caller);
          if ((await countServiceAccounts(tx)) >= maxServiceAccounts) {
            throw new DomainError("failed_precondition", `there are ${maxServiceAccounts} service accounts already`);
          }
          await insertServiceAccount(tx, account);
          const { id, name } = account;
          await note(tx, context, "service_account.created", caller, { serviceAccountId: id, name, kind });
        });
      } catch (error) {
        if (!breaks(error, "service_accounts_name_key")) throw error;
        throw new DomainError("already_exists", `there is a service account ${request.name} already`);
      }
      return { serviceAccount: toServiceAccountMessage(account) };
    },

    async listServiceAccounts(_request, context) {
      const sql = store.on(context.signal);
      await requireAdmin(sql, requireUser(context));
      return { serviceAccounts: (await listServiceAccounts(sql)).map(toServiceAccountMessage) };
    },

    async deleteServiceAccount(request, context) {
      const caller = requireUser(context);
      await store.transaction(context.signal, async (tx) => {
        await requireAdmin(tx, caller);
        const account = await findServiceAccount(tx, request.id);
        if (account === undefined) return;
        await deleteServiceAccount(tx, account.id);
        // Only programs have videos.
        if (account.kind === "program") await deletion.enqueue(tx, account.id);
        await note(tx, context, "service_account.deleted", caller, { serviceAccountId: account.id });
      });
      deletion.hurry();
      return {};
    },
  };
}

/** Whom a key stands for now, and what they may have now: a role may have changed since the key was made. */
function identityOf(key: ExchangeableKey) {
  if (key.kind === null) {
    const role = key.role ?? "member";
    return { kind: "user", role, available: scopesFor(role) } as const;
  }
  const available = scopesOfKind(key.kind).filter((scope) => key.accountScopes?.includes(scope));
  return { kind: key.kind === "program" ? "user" : key.kind, role: "member", available } as const;
}
