import { hasExpired, type Session } from "./session.ts";

/**
 * What to do with a refresh token:
 * - `rotate`: hand out new tokens,
 * - `repeat`: it was used a moment ago and nobody has used what it was exchanged for: hand that out again, as the answer was probably lost,
 * - `raced`: it was unused when this call began, and another call used it meanwhile: nobody but its holder, twice at the same moment,
 * - `replay`: it was used before, so two parties hold it: end the session (RFC 9700, 4.14.2),
 * - `over`: the session has expired.
 */
export type RefreshDecision = "rotate" | "repeat" | "raced" | "replay" | "over";

/** A refresh token as the database knows it. */
export type TokenState = {
  /** When it was used; null if it wasn't. */
  useTime: Date | null;
  /** The program that used it. */
  useDevice: string | null;
  /** What its successor was made with; null once that one is used. */
  successorSalt: Buffer | null;
};

/**
 * How long a used token gets its successor again, in milliseconds: long enough for a client that lost its connection to try once more, and much shorter than the ten minutes between two
 * refreshes, so that a thief and the holder can't live on one session side by side: whoever comes second comes too late, which ends it.
 */
export const repeatMs = 30_000;

/**
 * Decides from what was seen before the session's row was locked (`usedBefore`) and after. A repetition must come from the program that used the token, by its own account: the network may
 * well be another one, as that is why answers get lost.
 */
export function decideRefresh(seen: {
  usedBefore: boolean;
  token: TokenState;
  device: string;
  session: Pick<Session, "idleExpireTime" | "expireTime">;
  now: Date;
}): RefreshDecision {
  const { usedBefore, token, device, session, now } = seen;
  if (token.useTime === null) return hasExpired(session, now) ? "over" : "rotate";
  if (!usedBefore) return hasExpired(session, now) ? "over" : "raced";
  const recent = now.getTime() - token.useTime.getTime() <= repeatMs;
  if (!recent || token.successorSalt === null || token.useDevice !== device) return "replay";
  return hasExpired(session, now) ? "over" : "repeat";
}
