import { hash, parseOptions } from "@node-rs/argon2";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costSaved, createPasswordHasher, hashCost } from "./password-hasher.ts";

const signal = new AbortController().signal;
const hasher = createPasswordHasher({ concurrent: 2, queued: 10 });

describe("createPasswordHasher", () => {
  it("hashes with argon2id at 64 MiB, t=3, p=1, salted anew each time", async () => {
    const [first, second] = await Promise.all([
      hasher.hash("a".repeat(15), signal),
      hasher.hash("a".repeat(15), signal),
    ]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
    expect(parseOptions(first)).toMatchObject({ memoryCost: 65_536, timeCost: 3, parallelism: 1, outputLen: 32 });
    expect(second).not.toBe(first);
  });

  it.each([
    ["👍".repeat(15), "👍".repeat(14)],
    [`${"x".repeat(255)}a`, `${"x".repeat(255)}b`],
    ["Correct horse battery", "correct horse battery"],
    ["nul \0 in the middle a", "nul \0 in the middle b"],
    [" surrounded by space ", "surrounded by space"],
  ])("takes every character of %j into account", async (password, other) => {
    const phc = await hasher.hash(password, signal);
    expect(await hasher.verify(phc, password, signal)).toBe(true);
    expect(await hasher.verify(phc, other, signal)).toBe(false);
  });

  it("has no password for an account that doesn't exist", async () => {
    expect(await hasher.verify(undefined, "", signal)).toBe(false);
    expect(await hasher.verify(undefined, "any password at all", signal)).toBe(false);
  });

  it("leaves the event loop free", async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await Promise.all(Array.from({ length: 8 }, () => hasher.hash("a long enough password", signal)));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it("stops waiting when the signal aborts", async () => {
    const controller = new AbortController();
    const under = Array.from({ length: 6 }, () => hasher.hash("a long enough password", controller.signal));
    controller.abort(new Error("gone"));
    const results = await Promise.allSettled(under);
    expect(results.slice(2).every(({ status }) => status === "rejected")).toBe(true);
    expect(await hasher.hash("a long enough password", signal)).toMatch(/^\$argon2id/);
  });
});

describe("hashes that cost less", () => {
  const old = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

  it("are still good, and outdated", async () => {
    const phc = await hash("a long enough password", old);
    expect(await hasher.verify(phc, "a long enough password", signal)).toBe(true);
    expect(await hasher.verify(phc, "another long password", signal)).toBe(false);
    expect(hasher.isOutdated(phc)).toBe(true);
    expect(hasher.isOutdated(await hasher.hash("a long enough password", signal))).toBe(false);
  });

  it("cost as much as any other to refuse, and nothing more than that", () => {
    const salt = "$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaA";
    const phcOf = (memory: number, passes: number) => `$argon2id$v=19$m=${memory},t=${passes},p=1${salt}`;
    expect(costSaved(phcOf(hashCost.memoryCost, hashCost.timeCost), hashCost)).toBeUndefined();
    expect(costSaved(phcOf(262_144, 3), hashCost)).toBeUndefined();
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 262_144 }), fc.integer({ min: 1, max: 10 }), (memory, passes) => {
        const saved = costSaved(phcOf(memory, passes), hashCost);
        const work = memory * passes + (saved === undefined ? 0 : saved.memoryCost * saved.timeCost);
        const most = Math.max(hashCost.memoryCost * hashCost.timeCost, memory * passes);
        expect(work).toBeLessThanOrEqual(most);
        expect(most - work).toBeLessThanOrEqual(9 * hashCost.timeCost);
      }),
    );
  });
});
