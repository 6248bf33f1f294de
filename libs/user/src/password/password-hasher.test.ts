import { parseOptions } from "@node-rs/argon2";
import { describe, expect, it } from "vitest";
import { createPasswordHasher } from "./password-hasher.ts";

const signal = new AbortController().signal;
const hasher = createPasswordHasher({ concurrent: 2, queued: 10 });

describe("createPasswordHasher", () => {
  it("hashes with argon2id at 19 MiB, t=2, p=1, salted anew each time", async () => {
    const [first, second] = await Promise.all([
      hasher.hash("a".repeat(15), signal),
      hasher.hash("a".repeat(15), signal),
    ]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(parseOptions(first)).toMatchObject({ memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 });
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
