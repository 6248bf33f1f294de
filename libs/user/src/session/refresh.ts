import { DomainError } from "@kinora/rpc";
import { findAccount } from "../account/account.store.ts";
import type { Account } from "../account/account.ts";
import { recordEvent } from "../audit/audit.store.ts";
import type { Origin } from "../check/origin.ts";
import type { Store, Transaction } from "../store/store.ts";
import { sessionEnded } from "./live-caller.ts";
import { decideRefresh } from "./refresh-decision.ts";
import { createSuccessorSalt, hashRefreshToken, successorOf } from "./refresh-token.ts";
import { deleteSession, findToken, lockSession, rotateToken } from "./session.store.ts";
import { idleExpiry, type Session } from "./session.ts";

/** A session that has been refreshed, and its newest refresh token. */
export type Refreshed = { session: Pick<Session, "id" | "idleExpireTime">; account: Account; refreshToken: string };

/** Exchanges a refresh token. Throws `unauthenticated` where that ends the session or finds none, and `aborted` for the loser of two at the same moment. */
export type Refresh = (token: string, origin: Origin, signal: AbortSignal) => Promise<Refreshed>;

export function createRefresh({ store, now }: { store: Store; now: () => Date }): Refresh {
  /** The end of a family must be committed, so it is an outcome here and becomes an error only afterwards. */
  async function exchange(tx: Transaction, token: string, origin: Origin): Promise<Refreshed | "over" | "raced"> {
    const hash = hashRefreshToken(token);
    const before = await findToken(tx, hash);
    if (before === undefined) return "over";
    const session = await lockSession(tx, before.sessionId);
    const after = await findToken(tx, hash);
    if (session === undefined || after === undefined) return "over";
    const account = await findAccount(tx, session.userId);
    if (account === undefined) return "over";
    const time = now();
    const usedBefore = before.useTime !== null;
    const decision =
      account.disableTime === null
        ? decideRefresh({ usedBefore, token: after, device: origin.device, session, now: time })
        : "over";
    const event = { userId: account.id, origin, time, details: { sessionId: session.id } };
    switch (decision) {
      case "raced":
        return "raced";
      case "replay":
        await recordEvent(tx, { ...event, type: "session.replayed" });
        await deleteSession(tx, session.id);
        return "over";
      case "over":
        await deleteSession(tx, session.id);
        return "over";
      case "repeat":
        if (after.successorSalt === null) throw new Error("nothing to repeat");
        await recordEvent(tx, { ...event, type: "session.refresh_repeated" });
        return { session, account, refreshToken: successorOf(token, after.successorSalt) };
      case "rotate": {
        const salt = createSuccessorSalt();
        const refreshToken = successorOf(token, salt);
        const idleExpireTime = idleExpiry(time, session.expireTime);
        await rotateToken(tx, {
          sessionId: session.id,
          usedHash: hash,
          salt,
          nextHash: hashRefreshToken(refreshToken),
          now: time,
          idleExpireTime,
          ...origin,
        });
        return { session: { id: session.id, idleExpireTime }, account, refreshToken };
      }
    }
  }

  return async (token, origin, signal) => {
    const outcome = await store.transaction(signal, (tx) => exchange(tx, token, origin));
    if (outcome === "raced") {
      throw new DomainError("aborted", "another call has just refreshed this session; use the tokens that it got");
    }
    if (outcome === "over") throw sessionEnded();
    return outcome;
  };
}
