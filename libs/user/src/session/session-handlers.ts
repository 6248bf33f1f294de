import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { SessionService, TokensSchema } from "@kinora/proto-user";
import { DomainError, requireUser } from "@kinora/rpc";
import { findAccount } from "../account/account.store.ts";
import type { Account } from "../account/account.ts";
import { toUserMessage } from "../account/account-message.ts";
import type { Checks } from "../check/checks.ts";
import { originOf } from "../check/origin.ts";
import { invalidField } from "../fault.ts";
import { breaks } from "../store/database-fault.ts";
import type { Store } from "../store/store.ts";
import type { AccessTokens } from "../token/access-token.ts";
import { scopesFor } from "../token/scopes.ts";
import { decideRefresh } from "./refresh-decision.ts";
import { createRefreshToken, hashRefreshToken } from "./refresh-token.ts";
import {
  deleteSession,
  deleteSessionOfToken,
  findSession,
  findToken,
  insertSession,
  lockSession,
  rotateToken,
} from "./session.store.ts";
import { hasExpired, idleExpiry, type Session, startSession } from "./session.ts";

/** What the handlers of user.v1.SessionService need. */
export type SessionHandlersDeps = { store: Store; checks: Checks; tokens: AccessTokens; now: () => Date };

/** Answers user.v1.SessionService. */
export function createSessionHandlers(deps: SessionHandlersDeps): Partial<ServiceImpl<typeof SessionService>> {
  const { store, checks, tokens, now } = deps;

  async function tokensOf(
    session: Pick<Session, "id" | "idleExpireTime">,
    account: Account,
    refreshToken: string,
  ): Promise<MessageInitShape<typeof TokensSchema>> {
    const { id: subject, role } = account;
    const source = { session: session.id };
    const access = await tokens.sign({ subject, kind: "user", role, source, scopes: scopesFor(role) });
    return {
      accessToken: access.token,
      accessExpireTime: timestampFromDate(access.expireTime),
      refreshToken,
      refreshExpireTime: timestampFromDate(session.idleExpireTime),
    };
  }

  return {
    async createSession(request, context) {
      const { signal } = context;
      if (request.email === "") throw invalidField("email", "is required");
      if (request.password === "") throw invalidField("password", "is required");
      const origin = originOf(context);
      const { account } = await checks.identify(request, origin, signal);

      const session = startSession({ id: randomUUID(), userId: account.id, clientAddress: origin.address, now: now() });
      const refreshToken = createRefreshToken();
      try {
        await store.transaction(signal, (tx) => insertSession(tx, session, hashRefreshToken(refreshToken)));
      } catch (error) {
        // The account was deleted while its password was checked.
        throw breaks(error, "sessions_user_id_fkey") ? wrongCredential() : error;
      }
      return {
        sessionId: session.id,
        tokens: await tokensOf(session, account, refreshToken),
        user: toUserMessage(account),
      };
    },

    async refreshSession(request, context) {
      const hash = hashRefreshToken(request.refreshToken);
      const next = createRefreshToken();
      // The end of a family must be committed, so it is an outcome here and becomes an error only afterwards.
      const outcome = await store.transaction(context.signal, async (tx) => {
        const before = await findToken(tx, hash);
        if (before === undefined) return "over";
        const session = await lockSession(tx, before.sessionId);
        const after = await findToken(tx, hash);
        if (session === undefined || after === undefined) return "over";
        const account = await findAccount(tx, session.userId);
        if (account === undefined) return "over";
        const time = now();
        const decision = decideRefresh({ usedBefore: before.used, usedNow: after.used, session, now: time });
        if (decision === "replay" || decision === "over") await deleteSession(tx, session.id);
        if (decision !== "rotate") return decision;
        const idleExpireTime = idleExpiry(time, session.expireTime);
        await rotateToken(tx, {
          sessionId: session.id,
          usedHash: hash,
          nextHash: hashRefreshToken(next),
          now: time,
          idleExpireTime,
        });
        return { session: { id: session.id, idleExpireTime }, account };
      });
      if (outcome === "raced") {
        throw new DomainError("aborted", "another call has just refreshed this session; use the tokens that it got");
      }
      if (typeof outcome === "string") {
        throw new DomainError("unauthenticated", "this session has ended; log in again");
      }
      return { tokens: await tokensOf(outcome.session, outcome.account, next) };
    },

    async revokeSession(request, context) {
      await deleteSessionOfToken(store.on(context.signal), hashRefreshToken(request.refreshToken));
      return {};
    },

    async getSession(_request, context) {
      const caller = requireUser(context);
      const sql = store.on(context.signal);
      const session = caller.sessionId === undefined ? undefined : await findSession(sql, caller.sessionId);
      const account = await findAccount(sql, caller.userId);
      if (
        session === undefined ||
        account === undefined ||
        session.userId !== account.id ||
        hasExpired(session, now())
      ) {
        throw new DomainError("unauthenticated", "this session has ended; log in again");
      }
      return { sessionId: session.id, user: toUserMessage(account) };
    },
  };
}

function wrongCredential(): DomainError {
  return new DomainError("unauthenticated", "the e-mail address or the password is wrong");
}
