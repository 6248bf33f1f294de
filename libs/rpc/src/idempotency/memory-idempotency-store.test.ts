import fc from "fast-check";
import { expect, it } from "vitest";
import type { StoredAnswer } from "./idempotency-store.ts";
import { createMemoryIdempotencyStore } from "./memory-idempotency-store.ts";

const never = new AbortController().signal;

function answer(bytes: number): StoredAnswer {
  return { message: new Uint8Array(bytes), header: [], trailer: [] };
}

it("stays within its bounds, keeps what was used last, forgets what is old: like a list of entries, slowly", async () => {
  const step = fc.record({
    id: fc.nat(8).map(String),
    bytes: fc.nat(2_000),
    ms: fc.nat(40),
    keep: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      let now = 0;
      const maxBytes = 4_000;
      const store = createMemoryIdempotencyStore({ maxEntries: 4, maxBytes, ttlMs: 100, now: () => now });
      // What should be there, the least recently used first.
      let model: { id: string; expires: number; bytes: number }[] = [];
      for (const { id, bytes, ms, keep } of steps) {
        now += ms;
        const begun = await store.begin(id, "request", never);
        const known = model.find((entry) => entry.id === id && entry.expires > now);
        expect(begun.state).toBe(known === undefined ? "first" : "answered");
        model = model.filter((entry) => entry.id !== id);
        if (known !== undefined) {
          model.push(known);
        } else {
          const before = store.bytes;
          const entries = store.entries;
          await store.finish(id, keep ? answer(bytes) : undefined);
          const size = bytes + 300 + 2 * id.length;
          if (keep && size <= maxBytes) {
            model.push({ id, expires: now + 100, bytes: size });
            while (model.length > 4 || model.reduce((sum, entry) => sum + entry.bytes, 0) > maxBytes) {
              model.shift();
            }
          } else {
            expect(store.bytes).toBe(before);
            expect(store.entries).toBe(entries);
          }
        }
        expect(store.entries).toBe(model.length);
        expect(store.bytes).toBe(model.reduce((sum, entry) => sum + entry.bytes, 0));
        expect(store.bytes).toBeLessThanOrEqual(maxBytes);
      }
    }),
  );
});

it("lets those wait that come while the first is under way, and the next one try where it came to nothing", async () => {
  const store = createMemoryIdempotencyStore();
  expect(await store.begin("id", "request", never)).toEqual({ state: "first" });
  const second = store.begin("id", "request", never);
  const third = store.begin("id", "request", never);
  await store.finish("id", undefined);
  expect(await second).toEqual({ state: "first" });
  await store.finish("id", answer(3));
  expect(await third).toEqual({ state: "answered", answer: answer(3) });
});

it("doesn't keep anybody waiting who gives up", async () => {
  const store = createMemoryIdempotencyStore();
  await store.begin("id", "request", never);
  const leaving = new AbortController();
  const waiting = store.begin("id", "request", leaving.signal);
  leaving.abort(new Error("left"));
  await expect(waiting).rejects.toThrow("left");
});

it("tells another request with the same key, before and after the answer", async () => {
  const store = createMemoryIdempotencyStore();
  await store.begin("id", "request", never);
  expect(await store.begin("id", "another", never)).toEqual({ state: "mismatch" });
  await store.finish("id", answer(1));
  expect(await store.begin("id", "another", never)).toEqual({ state: "mismatch" });
});

it("takes a call that never ends for lost", async () => {
  let now = 0;
  const store = createMemoryIdempotencyStore({ lostMs: 1_000, now: () => now });
  await store.begin("id", "request", never);
  now = 1_000;
  expect(await store.begin("id", "request", never)).toEqual({ state: "first" });
});
