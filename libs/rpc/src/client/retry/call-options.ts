import { type ContextKey, createContextKey } from "@connectrpc/connect";

/**
 * Calls a second server when the first takes long, and takes the answer that comes first. Only for methods whose contract says that they may run twice (option
 * `idempotency_level`).
 */
export type Hedging = {
  /** Milliseconds after which the next attempt starts. Take about the 95th percentile of the method's latency: then one call in twenty is made twice. */
  delayMs: number;
  /** Attempts in all, the first included. */
  attempts: number;
};

/** How often a call is tried, and how long is waited in between. What isn't given is as by default. */
export type Retry = {
  /** In all, the first included; 3 by default. */
  attempts?: number;
  /** The longest wait before the first retry, in milliseconds, 50 by default; it doubles with each … */
  firstBackoffMs?: number;
  /** … up to this; 1,000 by default. */
  longestBackoffMs?: number;
};

/**
 * Hedges one call, or with `false` keeps it from being hedged.
 *
 * @example
 * const contextValues = createContextValues().set(hedgingKey, { delayMs: 30, attempts: 2 });
 * await client.getVideo({ id }, { contextValues });
 */
export const hedgingKey: ContextKey<Hedging | false | undefined> = createContextKey<Hedging | false | undefined>(
  undefined,
  { description: "hedging of a call" },
);

/** Retries of one call, in place of the transport's; `false` for none. Attempts that no server has seen are repeated all the same. */
export const retryKey: ContextKey<Retry | false | undefined> = createContextKey<Retry | false | undefined>(undefined, {
  description: "retries of a call",
});
