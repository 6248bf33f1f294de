import { untilAborted } from "../call/until-aborted.ts";
import type { IdempotencyStore, StoredAnswer } from "./idempotency-store.ts";

/** What a store in memory keeps at most. */
export type MemoryIdempotencyStoreOptions = {
  maxEntries?: number;
  /** Bytes of all answers together, about. */
  maxBytes?: number;
  /** Milliseconds for which an answer is kept. */
  ttlMs?: number;
  /** Milliseconds after which a call that hasn't ended is taken for lost. */
  lostMs?: number;
  now?: () => number;
};

/** The store of one process, as long as it lives. */
export type MemoryIdempotencyStore = IdempotencyStore & {
  /** Answers that are kept, and their bytes, about. */
  readonly entries: number;
  readonly bytes: number;
};

type Kept = { request: string; answer: StoredAnswer; bytes: number; expires: number };
type UnderWay = { request: string; lost: number; over: PromiseWithResolvers<void> };

// What an entry takes beside what it holds.
const entryBytes = 300;

/** Keeps answers in memory; when there are too many, those go that weren't asked for the longest. */
export function createMemoryIdempotencyStore(options: MemoryIdempotencyStoreOptions = {}): MemoryIdempotencyStore {
  const { maxEntries = 10_000, maxBytes = 32 * 1024 * 1024, ttlMs = 24 * 60 * 60_000, lostMs = 5 * 60_000 } = options;
  const now = options.now ?? Date.now;
  // In the order of use: a Map keeps the order in which keys are set.
  const kept = new Map<string, Kept>();
  // Not more than there are calls under way.
  const underWay = new Map<string, UnderWay>();
  let bytes = 0;

  function forget(id: string, entry: Kept): void {
    kept.delete(id);
    bytes -= entry.bytes;
  }

  function find(id: string): Kept | undefined {
    const entry = kept.get(id);
    if (entry === undefined) {
      return undefined;
    }
    if (entry.expires <= now()) {
      forget(id, entry);
      return undefined;
    }
    kept.delete(id);
    kept.set(id, entry);
    return entry;
  }

  return {
    async begin(id, request, signal) {
      for (;;) {
        const entry = find(id);
        if (entry !== undefined) {
          return entry.request === request ? { state: "answered", answer: entry.answer } : { state: "mismatch" };
        }
        const first = underWay.get(id);
        if (first === undefined || first.lost <= now()) {
          first?.over.resolve();
          underWay.set(id, { request, lost: now() + lostMs, over: Promise.withResolvers() });
          return { state: "first" };
        }
        if (first.request !== request) {
          return { state: "mismatch" };
        }
        await untilAborted(first.over.promise, signal);
      }
    },
    async finish(id, answer) {
      const call = underWay.get(id);
      if (call === undefined) {
        return;
      }
      underWay.delete(id);
      const size = answer === undefined ? 0 : sizeOf(id, answer);
      if (answer !== undefined && size <= maxBytes && maxEntries > 0) {
        const before = kept.get(id);
        if (before !== undefined) {
          forget(id, before);
        }
        kept.set(id, { request: call.request, answer, bytes: size, expires: now() + ttlMs });
        bytes += size;
        for (const [oldest, entry] of kept) {
          if (kept.size <= maxEntries && bytes <= maxBytes) {
            break;
          }
          forget(oldest, entry);
        }
      }
      call.over.resolve();
    },
    get entries() {
      return kept.size;
    },
    get bytes() {
      return bytes;
    },
  };
}

function sizeOf(id: string, { message, failure, header, trailer }: StoredAnswer): number {
  let size = entryBytes + 2 * id.length + (message?.length ?? 0);
  for (const [name, value] of [...header, ...trailer, ...(failure?.metadata ?? [])]) {
    size += 2 * (name.length + value.length);
  }
  for (const { type, value } of failure?.details ?? []) {
    size += 2 * type.length + value.length;
  }
  return size + 2 * (failure?.message.length ?? 0);
}
