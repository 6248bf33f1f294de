import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRefresh, type RefreshDecision } from "./refresh-decision.ts";
import { absoluteLifetimeMs, hasExpired, idleExpiry, idleLifetimeMs, startSession } from "./session.ts";

const start = new Date("2026-03-01T00:00:00Z");
const after = (ms: number) => new Date(start.getTime() + ms);
const session = startSession({ id: "s", userId: "u", clientAddress: "::1", now: start });

describe("a session", () => {
  it.each([
    [0, false],
    [idleLifetimeMs - 1, false],
    [idleLifetimeMs, true],
    [absoluteLifetimeMs, true],
  ])("that nobody refreshes has ended after %i ms: %s", (ms, ended) => {
    expect(hasExpired(session, after(ms))).toBe(ended);
  });

  it("lives as long as it is refreshed, but never beyond its absolute end", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: idleLifetimeMs - 1 }), { maxLength: 20 }), (gaps) => {
        let passed = 0;
        let { idleExpireTime } = session;
        for (const gap of gaps) {
          passed += gap;
          const ended = hasExpired({ ...session, idleExpireTime }, after(passed));
          expect(ended).toBe(passed >= absoluteLifetimeMs);
          if (ended) return;
          idleExpireTime = idleExpiry(after(passed), session.expireTime);
          expect(idleExpireTime <= session.expireTime).toBe(true);
        }
      }),
    );
  });
});

describe("decideRefresh", () => {
  it.each<[boolean, boolean, number, RefreshDecision]>([
    [false, false, 0, "rotate"],
    [false, false, idleLifetimeMs, "over"],
    [false, true, 0, "raced"],
    [false, true, idleLifetimeMs, "over"],
    [true, true, 0, "replay"],
    [true, true, idleLifetimeMs, "replay"],
  ])("used before: %s, used now: %s, after %i ms: %s", (usedBefore, usedNow, ms, decision) => {
    expect(decideRefresh({ usedBefore, usedNow, session, now: after(ms) })).toBe(decision);
  });
});
