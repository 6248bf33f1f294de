import type { PassedCheck } from "../check/assurance.ts";

/** A login: everything that its refresh tokens (the family) have in common. */
export type Session = {
  id: string;
  userId: string;
  /** Where the login came from, as an `addressKey`. */
  clientAddress: string;
  /** Where it was used last. */
  lastAddress: string;
  /** What its holder calls it, or the program that logged in. */
  device: string;
  /** What its holder has shown, and when. */
  checks: readonly PassedCheck[];
  createTime: Date;
  /** When its tokens were made. */
  refreshTime: Date;
  /** When it ends if it isn't refreshed. */
  idleExpireTime: Date;
  /** When it ends whatever happens. */
  expireTime: Date;
};

const day = 86_400_000;

/** How long a session lives without a refresh, in milliseconds (ASVS 7.3.1). */
export const idleLifetimeMs = 30 * day;

/** How long a session lives at most, in milliseconds (ASVS 7.3.2). */
export const absoluteLifetimeMs = 90 * day;

/** Sessions that one user may have at a time; the one that was refreshed longest ago makes room for a new one. */
export const maxSessionsPerUser = 100;

/** How long a login may take from its first check to its last, in milliseconds. */
export const pendingLifetimeMs = 600_000;

/** Checks that may be tried in one login after its first. */
export const maxPendingTries = 5;

/**
 * Used refresh tokens that a session remembers, to know them when they come back: two weeks' worth at one refresh in ten minutes.
 * Older ones are refused like any unknown token.
 */
export const maxUsedTokens = 2_000;

/** When a session that is made or refreshed now ends if it isn't refreshed again. */
export function idleExpiry(now: Date, expireTime: Date): Date {
  return new Date(Math.min(now.getTime() + idleLifetimeMs, expireTime.getTime()));
}

/** A new session of a user. */
export function startSession(
  start: Pick<Session, "id" | "userId" | "clientAddress" | "device" | "checks"> & { now: Date },
): Session {
  const { now, ...rest } = start;
  const expireTime = new Date(now.getTime() + absoluteLifetimeMs);
  return {
    ...rest,
    lastAddress: rest.clientAddress,
    createTime: now,
    refreshTime: now,
    idleExpireTime: idleExpiry(now, expireTime),
    expireTime,
  };
}

/** Whether the session has ended by itself. */
export function hasExpired(session: Pick<Session, "idleExpireTime" | "expireTime">, now: Date): boolean {
  return session.idleExpireTime <= now || session.expireTime <= now;
}
