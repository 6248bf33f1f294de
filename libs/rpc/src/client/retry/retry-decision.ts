import { Code } from "@connectrpc/connect";
import type { Pushback } from "./pushback.ts";

export const retrySettings = {
  /** Attempts of an idempotent call in all, the first included. */
  attempts: 3,
  /** The longest wait before the first retry; it doubles with each. Milliseconds. */
  firstBackoffMs: 50,
  /** The longest wait before any. */
  longestBackoffMs: 1_000,
  /** Attempts that certainly no server has seen, in all: those are tried again whatever the method, each at another endpoint. */
  unseenAttempts: 4,
};

/** How far a call has come, and what went wrong with its last attempt. */
export type FailedAttempt = {
  /** Whether the call may run twice. */
  idempotent: boolean;
  /** What the attempt ended with. */
  code: Code;
  /** No server has seen the attempt. */
  unseen: boolean;
  /** What the server says about trying again: see `readPushback`. */
  pushback: Pushback | false | undefined;
  /** Attempts that a server may have seen, this one included. */
  seenAttempts: number;
  /** Attempts that none has seen, this one included. */
  unseenAttempts: number;
  /** There is an endpoint that this call hasn't been tried at. */
  otherEndpoint: boolean;
  /** What is left until the call's deadline, in milliseconds. */
  remainingMs: number;
};

/** What to do: fail, or try again after a wait. `pays` says whether that is on the budget of retries. */
export type RetryDecision = { waitMs: number; pays: boolean } | undefined;

/**
 * Whether to try a call again, and when. What no server has seen is tried again for any method and for free, as gRPC's transparent retries: once, or for as long as there are
 * other endpoints. Beyond that only calls that may run twice or that the server asks for, when it was `unavailable`; after the time that it says, or with "full jitter" backoff, which is a
 * random time up to the exponential one (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). A wait that would outlast the deadline isn't begun.
 */
export function decideRetry(attempt: FailedAttempt, random: () => number, settings = retrySettings): RetryDecision {
  const { unseen, unseenAttempts, seenAttempts, otherEndpoint } = attempt;
  if (unseen && (unseenAttempts === 1 || (otherEndpoint && unseenAttempts < settings.unseenAttempts))) {
    return { waitMs: 0, pays: false };
  }
  const { pushback } = attempt;
  const tried = seenAttempts + Math.max(0, unseenAttempts - 1);
  const wanted = pushback !== false && (attempt.idempotent || pushback?.asked === true);
  if (!wanted || attempt.code !== Code.Unavailable || tried >= settings.attempts) {
    return undefined;
  }
  const longest = Math.min(settings.longestBackoffMs, settings.firstBackoffMs * 2 ** (Math.max(1, tried) - 1));
  const waitMs = pushback?.waitMs ?? random() * longest;
  return waitMs < attempt.remainingMs ? { waitMs, pays: true } : undefined;
}
