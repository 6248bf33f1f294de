import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { Role as RoleMessage, type SessionService } from "@kinora/proto-user";
import { DomainError, requireUser } from "@kinora/rpc";
import { type KeySource, verifyAccessToken } from "@kinora/service";
import { findAccount } from "../account/account.store.ts";
import { toUserMessage } from "../account/account-message.ts";
import { lockHolder } from "../account/holder-lock.store.ts";
import { recordEvent } from "../audit/audit.store.ts";
import type { AuditType } from "../audit/audit.ts";
import type { Checks } from "../check/checks.ts";
import { originOf } from "../check/origin.ts";
import { invalidField } from "../fault.ts";
import type { Sql, Store } from "../store/store.ts";
import type { AccessTokens } from "../token/access-token.ts";
import { createBrowserCookies } from "./browser-cookies.ts";
import { isLive, isLiveMachine, requireLive, sessionEnded } from "./live-caller.ts";
import { createLogins, type Login, toCheck } from "./login.ts";
import { findPendingUser } from "./pending-session.store.ts";
import { createRefresh } from "./refresh.ts";
import { createRefreshToken, hashRefreshToken } from "./refresh-token.ts";
import {
  deleteSessionOfToken,
  endSession,
  endSessions,
  findSession,
  listSessions,
  lockSession,
  renewSession,
} from "./session.store.ts";
import { hasExpired, idleExpiry } from "./session.ts";
import { toFactorMessage, toSessionMessage } from "./session-message.ts";

/** What the handlers of user.v1.SessionService need. */
export type SessionHandlersDeps = {
  store: Store;
  checks: Checks;
  tokens: AccessTokens;
  keys: KeySource;
  publicUrl: () => string;
  now: () => Date;
};

/** Answers user.v1.SessionService. */
export function createSessionHandlers(deps: SessionHandlersDeps): ServiceImpl<typeof SessionService> {
  const { store, checks, keys, now } = deps;
  const logins = createLogins(deps);
  const refresh = createRefresh({ store, now });
  const cookies = createBrowserCookies(deps);

  const note = (sql: Sql, context: HandlerContext, type: AuditType, userId: string, sessionId: string) =>
    recordEvent(sql, {
      type,
      userId,
      actorId: userId,
      origin: originOf(context),
      time: now(),
      details: { sessionId },
    });

  const answerOf = (login: Login, context: HandlerContext) =>
    "tokens" in login
      ? {
          sessionId: login.sessionId,
          tokens: cookies.give(context, login.tokens),
          user: toUserMessage(login.account),
          needed: [],
        }
      : { sessionId: login.sessionId, needed: login.needed.map(toFactorMessage) };

  return {
    async createSession(request, context) {
      const login = await logins.begin(request, originOf(context), context.signal);
      return { ...answerOf(login, context), checkToken: "checkToken" in login ? login.checkToken : "" };
    },

    async addCheck(request, context) {
      // The gate refuses requests without one (protovalidate's `required`), so this is for the compiler.
      if (request.check === undefined) throw invalidField("check", "is required");
      const check = toCheck(request.check);
      return answerOf(await logins.addCheck(request.checkToken, check, originOf(context), context.signal), context);
    },

    async confirmSession(request, context) {
      const { signal } = context;
      const { userId, sessionId } = requireUser(context);
      if (sessionId === undefined) throw noSession();
      if (request.check === undefined) throw invalidField("check", "is required");
      const origin = originOf(context);
      const check = await checks.verify(userId, toCheck(request.check), origin, signal);
      const refreshToken = createRefreshToken();
      const renewed = await store.transaction(signal, async (tx) => {
        const session = await lockSession(tx, sessionId);
        const account = await findAccount(tx, userId);
        if (session?.userId !== userId || account === undefined || hasExpired(session, now())) throw sessionEnded();
        // Of each factor the newest proof is what counts.
        const passed = [...session.checks.filter(({ factor }) => factor !== check.factor), check];
        const idleExpireTime = idleExpiry(now(), session.expireTime);
        const next = { ...session, checks: passed, idleExpireTime, lastAddress: origin.address };
        await renewSession(tx, next, hashRefreshToken(refreshToken), now());
        await note(tx, context, "session.confirmed", userId, sessionId);
        return { session: next, account };
      });
      const tokens = await logins.tokensOf(renewed.session, renewed.account, refreshToken);
      return { tokens: cookies.give(context, tokens) };
    },

    async createPasskeyChallenge(request, context) {
      const { signal } = context;
      let userId: string | undefined;
      if (request.checkToken !== "") {
        userId = await findPendingUser(store.on(signal), hashRefreshToken(request.checkToken), now());
        if (userId === undefined) throw new DomainError("unauthenticated", "this login has ended; start it again");
      }
      return await checks.startPasskey(userId, originOf(context), signal);
    },

    async refreshSession(request, context) {
      const presented = cookies.take(context, request.refreshToken);
      const { session, account, refreshToken } = await refresh(presented, originOf(context), context.signal);
      return { tokens: cookies.give(context, await logins.tokensOf(session, account, refreshToken)) };
    },

    async revokeSession(request, context) {
      const presented = cookies.take(context, request.refreshToken);
      await store.transaction(context.signal, async (tx) => {
        const ended = await deleteSessionOfToken(tx, hashRefreshToken(presented));
        if (ended !== undefined) await note(tx, context, "session.ended", ended.userId, ended.id);
      });
      cookies.forget(context);
      return {};
    },

    async getSession(_request, context) {
      const caller = requireUser(context);
      const sql = store.on(context.signal);
      await requireLive(sql, caller, now());
      const session = caller.sessionId === undefined ? undefined : await findSession(sql, caller.sessionId);
      const account = await findAccount(sql, caller.userId);
      return {
        sessionId: session?.id ?? "",
        ...(session && { session: toSessionMessage(session, session.id) }),
        ...(account && { user: toUserMessage(account) }),
        keyId: caller.keyId ?? "",
        serviceAccountId: account === undefined ? caller.userId : "",
        scopes: caller.scopes === "all" ? [] : [...caller.scopes],
      };
    },

    async listSessions(_request, context) {
      const caller = requireUser(context);
      const sql = store.on(context.signal);
      await requireLive(sql, caller, now());
      const sessions = await listSessions(sql, caller.userId, now());
      return { sessions: sessions.map((session) => toSessionMessage(session, caller.sessionId)) };
    },

    async endSession(request, context) {
      const caller = requireUser(context);
      await store.transaction(context.signal, async (tx) => {
        await requireLive(tx, caller, now());
        if (!(await endSession(tx, caller.userId, request.id, now()))) {
          throw new DomainError("not_found", "you have no such session");
        }
        await note(tx, context, "session.ended", caller.userId, request.id.toLowerCase());
      });
      return {};
    },

    async endOtherSessions(_request, context) {
      const caller = requireUser(context);
      const ended = await store.transaction(context.signal, async (tx) => {
        await lockHolder(tx, caller.userId); // of two sessions that end each other one stays
        await requireLive(tx, caller, now());
        const count = await endSessions(tx, caller.userId, { except: caller.sessionId });
        await note(tx, context, "session.others_ended", caller.userId, caller.sessionId ?? "");
        return count;
      });
      return { ended };
    },

    async introspectToken(request, context) {
      const verified = await verifyAccessToken(request.accessToken, keys, now().getTime()).catch((error: unknown) => {
        if (error instanceof DomainError && error.reason === "unauthenticated") return undefined;
        throw error;
      });
      const caller = verified?.caller;
      if (verified === undefined || caller === undefined || caller.kind === "anonymous") return { active: false };
      const sql = store.on(context.signal);
      const about = {
        active: true,
        scopes: caller.scopes === "all" ? [] : [...caller.scopes],
        expireTime: timestampFromDate(new Date(verified.expiresAt)),
      };
      if (caller.kind !== "user") {
        return (await isLiveMachine(sql, caller, now())) ? { ...about, subject: caller.id } : { active: false };
      }
      if (!(await isLive(sql, caller, now()))) return { active: false };
      const account = await findAccount(sql, caller.userId);
      const role = account === undefined ? RoleMessage.MEMBER : toUserMessage(account).role;
      return { ...about, subject: caller.userId, role };
    },
  };
}

function noSession(): DomainError {
  return new DomainError(
    "failed_precondition",
    "this access token comes from an API key and has no session; log in instead",
  );
}
