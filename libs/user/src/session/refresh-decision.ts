import { hasExpired, type Session } from "./session.ts";

/**
 * What to do with a refresh token:
 * - `rotate`: hand out new tokens,
 * - `replay`: it was used before, so two parties hold it: end the session (RFC 9700, 4.14.2),
 * - `raced`: it was unused when this call began, and another call used it meanwhile: nobody but its holder, twice at the same moment,
 * - `over`: the session has expired.
 */
export type RefreshDecision = "rotate" | "replay" | "raced" | "over";

/** Decides from what was seen before the session's row was locked (`usedBefore`) and after. */
export function decideRefresh(seen: {
  usedBefore: boolean;
  usedNow: boolean;
  session: Pick<Session, "idleExpireTime" | "expireTime">;
  now: Date;
}): RefreshDecision {
  if (seen.usedBefore) return "replay";
  if (hasExpired(seen.session, seen.now)) return "over";
  return seen.usedNow ? "raced" : "rotate";
}
