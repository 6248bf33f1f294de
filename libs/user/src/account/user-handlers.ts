import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { User, UserService } from "@kinora/proto-user";
import { type Caller, callerOf, checkGrant, DomainError, requireUser } from "@kinora/rpc";
import { recordEvent } from "../audit/audit.store.ts";
import type { AuditEntry } from "../audit/audit.ts";
import { originOf } from "../check/origin.ts";
import { requireRecentLogin } from "../check/recent-login.ts";
import type { AccountDeletion } from "../deletion/account-deletion.ts";
import { invalidField } from "../fault.ts";
import { canList, canSee, type Refusal, refuseDelete, refuseDisable, refuseUpdate } from "../policy.ts";
import { deleteLimits } from "../quota/limits.store.ts";
import { requireLive } from "../session/live-caller.ts";
import { endSessions } from "../session/session.store.ts";
import type { Sql, Store } from "../store/store.ts";
import {
  deleteAccount,
  findAccount,
  listAccounts,
  lockAccounts,
  setDisabled,
  updateAccount,
  wasDeleted,
} from "./account.store.ts";
import type { Account } from "./account.ts";
import { fromRoleMessage, toUserMessage } from "./account-message.ts";
import { ageInYears } from "./birth-date.ts";
import { decodePageToken, encodePageToken } from "./page-token.ts";
import type { createSignUp } from "./sign-up.ts";
import { readAccountChange } from "./update-mask.ts";

/** What the handlers of user.v1.UserService need. */
export type UserHandlersDeps = {
  store: Store;
  deletion: AccountDeletion;
  signUps: ReturnType<typeof createSignUp>;
  now: () => Date;
};

const defaultPageSize = 50;

/** Answers user.v1.UserService. Who may do what is decided in policy.ts. */
export function createUserHandlers(deps: UserHandlersDeps): ServiceImpl<typeof UserService> {
  const { store, deletion, signUps, now } = deps;

  const note = (
    sql: Sql,
    type: AuditEntry["type"],
    context: HandlerContext,
    more: Pick<AuditEntry, "userId" | "actorId" | "details">,
  ) => recordEvent(sql, { type, origin: originOf(context), time: now(), ...more });

  /** The caller with the role of this moment, for what people do to others: a token may be ten minutes behind. Programs keep the role of their token. */
  async function present(sql: Sql, caller: Caller): Promise<Caller> {
    if (caller.kind !== "user") return caller;
    await requireLive(sql, caller, now());
    const account = await findAccount(sql, caller.userId);
    return account === undefined ? caller : { ...caller, role: account.role };
  }

  async function setDisabledBy(context: HandlerContext, givenId: string, disableTime: Date | null): Promise<User> {
    const id = givenId.toLowerCase();
    const caller = requireUser(context);
    const account = await store.transaction(context.signal, async (tx) => {
      const people = await lockAccounts(tx, [caller.userId, id]);
      await requireLive(tx, caller, now());
      const actor = actorOf(people.get(caller.userId));
      const target = people.get(id);
      if (target === undefined) throw noSuchUser();
      refuse(refuseDisable(actor, target));
      const type = disableTime === null ? "account.enabled" : "account.disabled";
      await note(tx, type, context, { userId: id, actorId: actor.id });
      if (disableTime !== null) await endSessions(tx, id);
      return await setDisabled(tx, id, disableTime, now());
    });
    return toUserMessage(account);
  }

  return {
    async createUser(request, context) {
      const { account, verificationId } = await signUps.create(request, context);
      return { user: toUserMessage(account), verificationId };
    },

    async getUser(request, context) {
      const id = request.id.toLowerCase();
      const sql = store.on(context.signal);
      const caller = callerOf(context);
      const self = caller.kind === "user" && caller.userId === id;
      const account = canSee(self ? caller : await present(sql, caller), id) ? await findAccount(sql, id) : undefined;
      if (account === undefined) throw noSuchUser();
      return { name: account.name, age: ageInYears(account.birthDate, now()), user: toUserMessage(account) };
    },

    async listUsers(request, context) {
      if (!canList(await present(store.on(context.signal), callerOf(context)))) {
        throw new DomainError("permission_denied", "only administrators and the owner can list users");
      }
      const after = request.pageToken === "" ? undefined : decodePageToken(request.pageToken);
      if (after === undefined && request.pageToken !== "") {
        throw invalidField("page_token", "must be the next_page_token of an earlier answer, or empty");
      }
      const size = request.pageSize === 0 ? defaultPageSize : request.pageSize;
      const filter = { query: request.query, role: fromRoleMessage(request.role), after };
      const found = await listAccounts(store.on(context.signal), filter, size + 1);
      const page = found.slice(0, size);
      const last = page.at(-1);
      return {
        users: page.map(toUserMessage),
        nextPageToken: found.length > size && last !== undefined ? encodePageToken(last) : "",
      };
    },

    async updateUser(request, context) {
      const id = request.id.toLowerCase();
      const caller = requireUser(context);
      // The gate refuses requests without them (protovalidate's `required`), so this is for the compiler.
      if (request.user === undefined) throw invalidField("user", "is required");
      const change = readAccountChange(request.user, request.updateMask?.paths ?? [], now());
      if (id !== caller.userId) checkGrant(managing, caller);
      const account = await store.transaction(context.signal, async (tx) => {
        const people = await lockAccounts(tx, [caller.userId, id]);
        await requireLive(tx, caller, now());
        const actor = actorOf(people.get(caller.userId));
        const target = people.get(id);
        if (target === undefined) throw noSuchUser();
        refuse(refuseUpdate(actor, target, change, people.otherOwners(id)));
        if (change.role !== undefined && change.role !== target.role) {
          const details = { from: target.role, to: change.role };
          await note(tx, "account.role_changed", context, { userId: id, actorId: actor.id, details });
        }
        return await updateAccount(tx, id, change, now());
      });
      return { user: toUserMessage(account) };
    },

    disableUser: async (request, context) => ({ user: await setDisabledBy(context, request.id, now()) }),
    enableUser: async (request, context) => ({ user: await setDisabledBy(context, request.id, null) }),

    async deleteUser(request, context) {
      const id = request.id.toLowerCase();
      const caller = requireUser(context);
      await store.transaction(context.signal, async (tx) => {
        const people = await lockAccounts(tx, [caller.userId, id]);
        const actor = people.get(caller.userId);
        const target = people.get(id);
        if (target !== undefined && id === caller.userId) await requireRecentLogin(tx, caller, now());
        if (id !== caller.userId) {
          checkGrant(managing, caller);
          await requireLive(tx, caller, now());
        }
        if (target === undefined) {
          // Whoever deleted their own account may repeat the call: its answer may have been lost.
          const mayKnow = id === caller.userId || (actor !== undefined && canList({ ...caller, role: actor.role }));
          if (mayKnow && (await wasDeleted(tx, id))) return;
          throw noSuchUser();
        }
        refuse(refuseDelete(actorOf(actor), target, people.otherOwners(id)));
        await note(tx, "account.deleted", context, { userId: id, actorId: caller.userId });
        await deleteAccount(tx, id, now());
        await deleteLimits(tx, id);
        await deletion.enqueue(tx, id);
      });
      deletion.hurry();
      return {};
    },
  };
}

/** What a credential needs besides, for others' accounts: that of the methods is for one's own. */
const managing = { audience: "user", scope: "users:write" };

function refuse(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new DomainError(refusal.reason, refusal.message);
}

function noSuchUser(): DomainError {
  return new DomainError("not_found", "no such user");
}

/** The caller as the database has them, if they may still act. */
function actorOf(account: Account | undefined): Account {
  if (account === undefined) throw accountGone();
  if (account.disableTime !== null) throw new DomainError("unauthenticated", "this account has been disabled");
  return account;
}

function accountGone(): DomainError {
  return new DomainError("unauthenticated", "this account has been deleted; log in with another one");
}
