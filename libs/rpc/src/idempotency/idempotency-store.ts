import type { Code } from "@connectrpc/connect";

/** An answer as it is kept. */
export type StoredAnswer = {
  /** The response's message in Protobuf's binary format; undefined for a failure. */
  message?: Uint8Array;
  failure?: StoredFailure;
  /** What the handler wrote into the response's headers and trailers. */
  header: [name: string, value: string][];
  trailer: [name: string, value: string][];
};

/** A failure that stays one, however often the call is made. */
export type StoredFailure = {
  code: Code;
  message: string;
  metadata: [name: string, value: string][];
  details: { type: string; value: Uint8Array }[];
};

/** What a store says of a call that begins. */
export type BegunCall =
  /** Nobody has made it yet, or it came to nothing: make it, and call `finish`. */
  | { state: "first" }
  | { state: "answered"; answer: StoredAnswer }
  /** The key belongs to another request. */
  | { state: "mismatch" };

/**
 * Keeps the answers of calls that carry idempotency keys. The one in memory serves one process; a database in its place serves all replicas of a
 * service: `begin` then inserts a row (`id` unique, the request's hash, when) and the one whose insert succeeds is the first; others look at the row until it
 * has an answer or is gone. A row without an answer that is older than any call may take is void, as its process may have died.
 */
export type IdempotencyStore = {
  /**
   * `id` stands for caller, method and key; `request` is a hash of the request's message. While the first call with this id is under way, this waits for what
   * comes of it, until the signal aborts (then it rejects with the signal's reason).
   */
  begin(id: string, request: string, signal: AbortSignal): Promise<BegunCall>;
  /** The first call is over; without an answer to keep, the next one with this id is the first. */
  finish(id: string, answer: StoredAnswer | undefined): Promise<void>;
};
