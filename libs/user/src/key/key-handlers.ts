import { randomUUID } from "node:crypto";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { KeyService } from "@kinora/proto-user";
import { DomainError, requireUser } from "@kinora/rpc";
import { createKeySecret } from "@kinora/service";
import { findAccount } from "../account/account.store.ts";
import type { Role } from "../account/account.ts";
import { lockHolder } from "../account/holder-lock.store.ts";
import { recordEvent } from "../audit/audit.store.ts";
import type { AuditType } from "../audit/audit.ts";
import { originOf } from "../check/origin.ts";
import type { AccountDeletion } from "../deletion/account-deletion.ts";
import { invalidField } from "../fault.ts";
import { requireLive } from "../session/live-caller.ts";
import type { Sql, Store } from "../store/store.ts";
import type { AccessTokens } from "../token/access-token.ts";
import { scopesFor } from "../token/scopes.ts";
import { isAdministrator, requireAbove } from "./administrator.ts";
import { type ApiKey, hashKey, maxKeys } from "./api-key.ts";
import { type BuiltInKeys, builtInAccounts, builtInPrefix, scopesOfBuiltIn } from "./built-in-keys.ts";
import { refusedScopes, scopesOfKind, tokenScopes } from "./grant.ts";
import {
  countKeys,
  deleteKey,
  type ExchangeableKey,
  findExchangeable,
  findKey,
  findKeyHash,
  findServiceAccount,
  insertKey,
  type KeyHolder,
  listKeys,
  touchKey,
} from "./key.store.ts";
import { toKeyMessage } from "./key-message.ts";
import type { ServiceAccount } from "./service-account.ts";
import { createServiceAccountHandlers } from "./service-account-handlers.ts";

/** What the handlers of user.v1.KeyService need. */
export type KeyHandlersDeps = {
  store: Store;
  tokens: AccessTokens;
  builtInKeys: BuiltInKeys;
  deletion: AccountDeletion;
  now: () => Date;
};

type User = ReturnType<typeof requireUser>;

/** When a key was last used is known to the minute: a write for every token would cost more than the token. */
const touchMs = 60_000;
const day = 86_400_000;

/** Answers user.v1.KeyService. */
export function createKeyHandlers(deps: KeyHandlersDeps): ServiceImpl<typeof KeyService> {
  const { store, tokens, builtInKeys, deletion, now } = deps;
  const note = (sql: Sql, context: HandlerContext, type: AuditType, caller: User, details: Record<string, string>) => {
    const { userId } = caller;
    return recordEvent(sql, { type, userId, actorId: userId, origin: originOf(context), time: now(), details });
  };

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
    const account = (await isAdministrator(sql, caller)) ? await findServiceAccount(sql, serviceAccountId) : undefined;
    if (account === undefined) throw new DomainError("not_found", "no such service account");
    return { holder: { serviceAccountId: account.id }, account };
  }

  /** The key, also if it is one that the installation begins with and nobody has used yet. */
  async function findByHash(secretHash: Buffer, time: Date, signal: AbortSignal): Promise<ExchangeableKey | undefined> {
    const sql = store.on(signal);
    const found = await findExchangeable(sql, secretHash, time);
    if (found !== undefined) return found;
    const account = await builtInKeys.find(secretHash);
    if (account === undefined) return undefined;
    await builtInKeys.register(account, secretHash, signal);
    return await findExchangeable(sql, secretHash, time);
  }

  return {
    async createKey(request, context) {
      const caller = requireUser(context);
      const scopes = [...new Set(request.scopes)];
      const { secret, prefix } = createKeySecret();
      const key = await store.transaction(context.signal, async (tx) => {
        const { holder, account } = await holderFor(tx, caller, request.serviceAccountId);
        if (account !== undefined) await requireAbove(tx, caller, account.kind);
        const available = account === undefined ? caller.scopes : new Set(account.scopes);
        const refused = refusedScopes(scopes, available === "all" ? new Set(scopesFor(caller.role)) : available);
        if (refused.length > 0) {
          const whose = account === undefined ? "you don't have" : `${account.name} can't have`;
          throw invalidField("scopes", `${whose} ${refused.join(", ")}`);
        }
        await lockHolder(tx, "userId" in holder ? holder.userId : holder.serviceAccountId);
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
        const managed = key?.serviceAccountId != null && !own && (await isAdministrator(tx, caller));
        if (key === undefined || !(own || managed)) throw new DomainError("not_found", "no such key");
        if (managed && (await builtInKeys.find(await findKeyHash(tx, key.id))) !== undefined) {
          throw new DomainError(
            "failed_precondition",
            "the installation still uses this key; disable its service account",
          );
        }
        if (!(await deleteKey(tx, key.id))) throw new DomainError("not_found", "no such key");
        await note(tx, context, "key.deleted", caller, { keyId: key.id });
      });
      return {};
    },

    async exchangeKey(request, context) {
      const sql = store.on(context.signal);
      const time = now();
      const key = await findByHash(hashKey(request.key), time, context.signal);
      if (key === undefined) {
        throw new DomainError("unauthenticated", "this API key isn't valid: it never was, or it has ended");
      }
      const { kind, role, available, given = key.scopes } = identityOf(key);
      const scopes = tokenScopes({ scopes: given }, available, request.scopes);
      if (scopes.length === 0) throw invalidField("scopes", "the key has none of these");
      const due = key.lastUseTime === null || time.getTime() - key.lastUseTime.getTime() >= touchMs;
      const touched = due && (await touchKey(sql, key, time));
      if (touched && key.lastUseTime === null) {
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

    ...createServiceAccountHandlers({ store, deletion, now }),
  };
}

/** Whom a key stands for now, and what they may have now: a role, or the contracts, may have changed since the key was made. */
function identityOf(key: ExchangeableKey): {
  kind: "user" | "service" | "worker";
  role: Role;
  available: readonly string[];
  given?: readonly string[];
} {
  if (key.kind === null) {
    const role = key.role ?? "member";
    return { kind: "user", role, available: scopesFor(role) };
  }
  const builtIn = builtInAccounts.find(({ name, kind }) => name === key.accountName && kind === key.kind);
  if (builtIn !== undefined && key.prefix === builtInPrefix) {
    const scopes = scopesOfBuiltIn(builtIn);
    return { kind: builtIn.kind, role: "member", available: scopes, given: scopes };
  }
  const available = scopesOfKind(key.kind).filter((scope) => key.accountScopes?.includes(scope));
  return { kind: key.kind === "program" ? "user" : key.kind, role: "member", available };
}
