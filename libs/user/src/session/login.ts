import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Check as CheckMessage, CreateSessionRequest, TokensSchema } from "@kinora/proto-user";
import { DomainError } from "@kinora/rpc";
import { findAccount } from "../account/account.store.ts";
import type { Account } from "../account/account.ts";
import { lockHolder } from "../account/holder-lock.store.ts";
import { type Factor, missingFactors, type PassedCheck, type SecondFactor } from "../check/assurance.ts";
import type { Check, Checks, Identified } from "../check/checks.ts";
import type { Origin } from "../check/origin.ts";
import { enrolledFactors } from "../factor/second-factors.store.ts";
import { invalidField } from "../fault.ts";
import type { Sql, Store } from "../store/store.ts";
import type { AccessTokens } from "../token/access-token.ts";
import { scopesFor } from "../token/scopes.ts";
import { sessionEnded } from "./live-caller.ts";
import { insertPending, type PendingSession, takePending, tryPending, updatePending } from "./pending-session.store.ts";
import { createRefreshToken, hashRefreshToken } from "./refresh-token.ts";
import { insertSession } from "./session.store.ts";
import { pendingLifetimeMs, type Session, startSession } from "./session.ts";

/** A login: complete, with a session and its first tokens, or in want of a further check. */
export type Login =
  | { sessionId: string; account: Account; tokens: MessageInitShape<typeof TokensSchema> }
  | { sessionId: string; checkToken: string; needed: Factor[] };

/** The way from the first check to a session. */
export type Logins = {
  begin(request: CreateSessionRequest, origin: Origin, signal: AbortSignal): Promise<Login>;
  addCheck(checkToken: string, check: Check, origin: Origin, signal: AbortSignal): Promise<Login>;
  /** Tokens of a session, to answer with. */
  tokensOf(
    session: Pick<Session, "id" | "idleExpireTime">,
    account: Account,
    refreshToken: string,
  ): Promise<MessageInitShape<typeof TokensSchema>>;
};

type Deps = { store: Store; checks: Checks; tokens: AccessTokens; now: () => Date };

export function createLogins({ store, checks, tokens, now }: Deps): Logins {
  const tokensOf: Logins["tokensOf"] = async (session, account, refreshToken) => {
    const { id: subject, role } = account;
    const source = { session: session.id };
    const access = await tokens.sign({ subject, kind: "user", role, source, scopes: scopesFor(role) });
    return {
      accessToken: access.token,
      accessExpireTime: timestampFromDate(access.expireTime),
      refreshToken,
      refreshExpireTime: timestampFromDate(session.idleExpireTime),
    };
  };

  /** Makes the session; in place of the pending one, if `from` is that, else if the account's password is what it was when it was checked. */
  async function complete(
    pending: PendingSession,
    account: Account,
    origin: Origin,
    signal: AbortSignal,
    from: { pendingId: string } | { passwordHash: string | undefined },
  ): Promise<Login> {
    const session = startSession({ ...pending, now: now() });
    const refreshToken = createRefreshToken();
    const { id: userId } = account;
    const details = { sessionId: session.id };
    const event = { type: "session.created", userId, actorId: userId, origin, time: now(), details } as const;
    const insert = async (sql: Sql, passwordHash: string | undefined) => {
      const made = await insertSession(sql, session, hashRefreshToken(refreshToken), event, passwordHash);
      // The account was deleted or disabled, or has another password, since its holder was checked.
      if (!made) throw sessionEnded();
    };
    if ("passwordHash" in from) await insert(store.on(signal), from.passwordHash);
    else {
      await store.transaction(signal, async (tx) => {
        // As who deletes the account does: else the two might wait for each other.
        await lockHolder(tx, userId);
        // Another password ends it.
        if (!(await takePending(tx, from.pendingId))) throw sessionEnded();
        await insert(tx, undefined);
      });
    }
    return { sessionId: session.id, account, tokens: await tokensOf(session, account, refreshToken) };
  }

  async function identify(request: CreateSessionRequest, origin: Origin, signal: AbortSignal): Promise<Identified> {
    if (request.passkey !== undefined) {
      const { challengeId, responseJson } = request.passkey;
      return await checks.identifyByPasskey({ challengeId, credentialJson: responseJson }, origin, signal);
    }
    if (request.email === "") throw invalidField("email", "is required");
    if (request.password === "") throw invalidField("password", "is required");
    return await checks.identify(request, origin, signal);
  }

  /** Verifies a further check, if one came along and one is needed. */
  async function second(
    { account, check, enrolled }: Identified,
    message: CheckMessage | undefined,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<PassedCheck[]> {
    if (message === undefined || missingFactors([check], enrolled).length === 0) return [check];
    return [check, await checks.verify(account.id, toCheck(message), origin, signal)];
  }

  return {
    tokensOf,
    async begin(request, origin, signal) {
      const identified = await identify(request, origin, signal);
      const { account, enrolled, passwordHash } = identified;
      const passed = await second(identified, request.second, origin, signal);
      const pending: PendingSession = {
        id: randomUUID(),
        userId: account.id,
        clientAddress: origin.address,
        device: deviceName(request.device) || origin.device,
        checks: passed,
      };
      const needed = missingFactors(passed, enrolled);
      if (needed.length === 0) return await complete(pending, account, origin, signal, { passwordHash });
      const checkToken = createRefreshToken();
      const expireTime = new Date(now().getTime() + pendingLifetimeMs);
      const made = await insertPending(
        store.on(signal),
        pending,
        hashRefreshToken(checkToken),
        expireTime,
        passwordHash,
      );
      if (!made) throw sessionEnded();
      return { sessionId: pending.id, checkToken, needed };
    },

    async addCheck(checkToken, check, origin, signal) {
      const sql = store.on(signal);
      const pending = await tryPending(sql, hashRefreshToken(checkToken), now());
      if (pending === undefined) {
        throw new DomainError("unauthenticated", "this login has ended; start it again");
      }
      const passed = [...pending.checks, await checks.verify(pending.userId, check, origin, signal)];
      const { account, enrolled } = await currentAccount(sql, pending.userId);
      const needed = missingFactors(passed, enrolled);
      if (needed.length > 0) {
        await updatePending(sql, pending.id, passed);
        return { sessionId: pending.id, checkToken, needed };
      }
      return await complete({ ...pending, checks: passed }, account, origin, signal, { pendingId: pending.id });
    },
  };

  async function currentAccount(sql: Sql, userId: string): Promise<{ account: Account; enrolled: SecondFactor[] }> {
    const account = await findAccount(sql, userId);
    if (account === undefined || account.disableTime !== null) throw sessionEnded();
    return { account, enrolled: await enrolledFactors(sql, userId) };
  }
}

/** A check as the contract has it. Its rules say that there is one (`oneof … required`), so the error is for the compiler. */
export function toCheck({ proof }: CheckMessage): Check {
  switch (proof.case) {
    case "password":
    case "recoveryCode":
      return { case: proof.case, value: proof.value };
    case "totpCode":
      return { case: "totp", value: proof.value };
    case "passkey":
      return {
        case: "passkey",
        value: { challengeId: proof.value.challengeId, credentialJson: proof.value.responseJson },
      };
    default:
      throw invalidField("check", "is required");
  }
}

/** A name for lists: without what doesn't show. */
function deviceName(name: string): string {
  return name.replace(/\p{C}/gu, "").trim();
}
