import type { Caller } from "@kinora/rpc";

/** Remembers credentials that were found good, for a while. */
export type SeenCredentials = {
  find(authorization: string): Caller | undefined;
  /** `expiresAt`: when the credential itself ends, in milliseconds since 1970. */
  remember(authorization: string, caller: Caller, expiresAt: number): void;
};

/** A key that is withdrawn (docs/operating.md) is believed for this long at most. */
const longestMs = 60_000;
const mostCredentials = 10_000;

/**
 * Verifying a signature costs a hundred times what the rest of a small call does, and a program sends the same token with each of its calls. Only whole credentials that were
 * verified are kept; the oldest goes when there are too many.
 */
export function createSeenCredentials(now: () => number = Date.now): SeenCredentials {
  const seen = new Map<string, { caller: Caller; until: number }>();
  return {
    find(authorization) {
      const found = seen.get(authorization);
      if (found === undefined) {
        return undefined;
      }
      if (found.until > now()) {
        return found.caller;
      }
      seen.delete(authorization);
      return undefined;
    },
    remember(authorization, caller, expiresAt) {
      seen.delete(authorization);
      seen.set(authorization, { caller, until: Math.min(expiresAt, now() + longestMs) });
      if (seen.size > mostCredentials) {
        for (const oldest of seen.keys()) {
          seen.delete(oldest);
          break;
        }
      }
    },
  };
}
