import { createHash } from "node:crypto";
import { DomainError } from "@kinora/rpc";
import type { Store } from "../store/store.ts";
import { type Counted, type Counter, countAttempt, uncountAttempts } from "./throttle.store.ts";

/** How many there may be, and in what time. */
export type ThrottleRule = { attempts: number; seconds: number };

/**
 * - `pair`: from one address at one account. The limit that a guesser meets, and only the guesser.
 * - `address`: from one address at any accounts, against passwords tried at many of them.
 * - `account`: at one account from all addresses, against many machines. It doesn't hold for addresses from which the owner has a living session, so that nobody
 *   can lock the owner out of the usual places.
 */
export type ThrottleRules = { account: ThrottleRule; address: ThrottleRule; pair: ThrottleRule };

/** Of failed logins. `account` is short, so that its owner waits a minute at most elsewhere than at the usual places. */
export const throttleRules = {
  account: { attempts: 20, seconds: 60 },
  address: { attempts: 100, seconds: 300 },
  pair: { attempts: 10, seconds: 300 },
} as const satisfies ThrottleRules;

/** Of wrong codes of a second factor, by people who know the password: 480 guesses a day at a three in a million chance. */
export const factorRules = {
  account: { attempts: 20, seconds: 3600 },
  address: { attempts: 100, seconds: 300 },
  pair: { attempts: 5, seconds: 300 },
} as const satisfies ThrottleRules;

/** Of e-mails that are asked for: no mailbox is flooded, and no address floods many. */
export const mailRules = {
  account: { attempts: 10, seconds: 600 },
  address: { attempts: 50, seconds: 3600 },
  pair: { attempts: 5, seconds: 600 },
} as const satisfies ThrottleRules;

/** Of codes from e-mails, shown by nobody in particular. Each code bears five guesses; this bounds what guesses at any codes cost us in hashes. */
export const codeRules = {
  account: { attempts: 60, seconds: 300 },
  address: { attempts: 60, seconds: 300 },
  pair: { attempts: 60, seconds: 300 },
} as const satisfies ThrottleRules;

/** Of sign-ups: a school's network may make hundreds in an hour. */
export const signUpRules = {
  account: { attempts: 10, seconds: 600 },
  address: { attempts: 300, seconds: 3600 },
  pair: { attempts: 5, seconds: 600 },
} as const satisfies ThrottleRules;

/** The counts that an attempt adds to, one per rule. Keys are hashed, so that what people typed doesn't stay in the database. `account` is an `emailKey` or an identifier, `address` an `addressKey`; `kind` keeps different attempts apart. */
export function attemptKeys(
  account: string,
  address: string,
  knownAddress: boolean,
  rules: ThrottleRules = throttleRules,
  kind = "",
): Counter[] {
  const key = (rule: keyof ThrottleRules, ...parts: string[]) =>
    `${kind}${rule}:${createHash("sha256")
      .update(JSON.stringify([rule, ...parts]))
      .digest("base64url")}`;
  const keys = [
    { key: key("account", account), ...rules.account },
    { key: key("address", address), ...rules.address },
    { key: key("pair", account, address), ...rules.pair },
  ];
  return knownAddress ? keys.slice(1) : keys;
}

/**
 * Counts an attempt before its password is looked at, so that attempts at the same moment can't exceed the limit together.
 * Throws `exhausted` with the seconds to wait if a limit is reached; the attempt then counts nowhere, so that a guesser who goes on
 * doesn't fill the account's own count.
 */
export async function admitAttempt(store: Store, signal: AbortSignal, keys: Counter[], now: Date): Promise<void> {
  refuseIfFull(await countAttempt(store.on(signal), keys, now), now);
}

/** Throws `exhausted` with the seconds to wait where a count is full. */
export function refuseIfFull(counted: Counted, now: Date): void {
  if (counted.admitted) return;
  const seconds = Math.ceil((counted.until.getTime() - now.getTime()) / 1000);
  throw new DomainError("exhausted", `too many attempts; try again in ${seconds} seconds`, {
    retryAfterSeconds: seconds,
  });
}

/** Takes an attempt back that turned out to be right. */
export async function forgiveAttempt(store: Store, signal: AbortSignal, keys: Counter[]): Promise<void> {
  await uncountAttempts(
    store.on(signal),
    keys.map(({ key }) => key),
  );
}
