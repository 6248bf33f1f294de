import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRefresh, type RefreshDecision, repeatMs, type TokenState } from "./refresh-decision.ts";
import { absoluteLifetimeMs, hasExpired, idleExpiry, idleLifetimeMs, startSession } from "./session.ts";

const start = new Date("2026-03-01T00:00:00Z");
const after = (ms: number) => new Date(start.getTime() + ms);
const session = startSession({ id: "s", userId: "u", clientAddress: "::1", device: "d", checks: [], now: start });

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
  const salt = Buffer.from("salt");
  const unused = { useTime: null, useDevice: null, successorSalt: null };
  const used = { useTime: start, useDevice: "d", successorSalt: salt };
  it.each<[string, boolean, TokenState, string, number, RefreshDecision]>([
    ["an unused token", false, unused, "d", 0, "rotate"],
    ["an unused token of an expired session", false, unused, "d", idleLifetimeMs, "over"],
    ["a token that was used meanwhile", false, used, "d", 0, "raced"],
    ["the same, whoever asks", false, used, "another", 0, "raced"],
    ["a token that was used a moment ago", true, used, "d", repeatMs, "repeat"],
    ["a token that was used a moment more ago", true, used, "d", repeatMs + 1, "replay"],
    ["a token that another program used a moment ago", true, used, "another", 1, "replay"],
    ["a token whose successor is used", true, { ...used, successorSalt: null }, "d", 1, "replay"],
    ["a used token of an expired session", true, used, "d", idleLifetimeMs, "replay"],
  ])("%s", (_name, usedBefore, token, device, ms, decision) => {
    expect(decideRefresh({ usedBefore, token, device, session, now: after(ms) })).toBe(decision);
  });
});
