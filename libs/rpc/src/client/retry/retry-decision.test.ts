import { Code } from "@connectrpc/connect";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRetry, type FailedAttempt, retrySettings } from "./retry-decision.ts";

const failed: FailedAttempt = {
  idempotent: true,
  code: Code.Unavailable,
  unseen: false,
  pushback: undefined,
  seenAttempts: 1,
  unseenAttempts: 0,
  otherEndpoint: true,
  remainingMs: 10_000,
};
const half = () => 0.5;

describe("decideRetry", () => {
  it.each<[string, Partial<FailedAttempt>, ReturnType<typeof decideRetry>]>([
    ["a first failure", {}, { waitMs: 25, pays: true }],
    ["a second", { seenAttempts: 2 }, { waitMs: 50, pays: true }],
    ["a third", { seenAttempts: 3 }, undefined],
    ["a method that may not run twice", { idempotent: false }, undefined],
    ["an answer of the application", { code: Code.NotFound }, undefined],
    ["internal", { code: Code.Internal }, undefined],
    ["a server that says when", { pushback: { waitMs: 700, asked: false } }, { waitMs: 700, pays: true }],
    ["a server that says now", { pushback: { waitMs: 0, asked: true } }, { waitMs: 0, pays: true }],
    [
      "a server that asks for the call, of any method",
      { idempotent: false, pushback: { waitMs: 700, asked: true } },
      { waitMs: 700, pays: true },
    ],
    ["a server that says when it is back", { idempotent: false, pushback: { waitMs: 700, asked: false } }, undefined],
    ["a server that says no", { pushback: false }, undefined],
    ["a wait beyond the deadline", { pushback: { waitMs: 10_000, asked: true } }, undefined],
    ["no time left", { remainingMs: 20 }, undefined],
    [
      "unseen, of any method",
      { idempotent: false, unseen: true, seenAttempts: 0, unseenAttempts: 1 },
      { waitMs: 0, pays: false },
    ],
    [
      "unseen again, elsewhere",
      { idempotent: false, unseen: true, seenAttempts: 0, unseenAttempts: 2 },
      { waitMs: 0, pays: false },
    ],
    [
      "unseen again, with nowhere else to go",
      { idempotent: false, unseen: true, seenAttempts: 0, unseenAttempts: 2, otherEndpoint: false },
      undefined,
    ],
    [
      "the same of an idempotent method",
      { unseen: true, seenAttempts: 0, unseenAttempts: 2, otherEndpoint: false },
      { waitMs: 25, pays: true },
    ],
    [
      "unseen, but without time",
      { unseen: true, seenAttempts: 0, unseenAttempts: 1, remainingMs: 1 },
      { waitMs: 0, pays: false },
    ],
  ])("%s", (_name, changes, expected) => {
    expect(decideRetry({ ...failed, ...changes }, half)).toEqual(expected);
  });

  it("ends for every series of failures, and waits no longer than it says", () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.boolean()),
        fc.boolean(),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (unseens, idempotent, random) => {
          let seenAttempts = 0;
          let unseenAttempts = 0;
          let paid = 0;
          for (const unseen of unseens) {
            if (unseen) {
              unseenAttempts++;
            } else {
              seenAttempts++;
            }
            const decision = decideRetry({ ...failed, idempotent, unseen, seenAttempts, unseenAttempts }, () => random);
            if (decision === undefined) {
              break;
            }
            paid += decision.pays ? 1 : 0;
            expect(decision.waitMs).toBeLessThan(Math.max(1, retrySettings.longestBackoffMs));
          }
          expect(paid).toBeLessThan(retrySettings.attempts);
          expect(seenAttempts).toBeLessThanOrEqual(idempotent ? retrySettings.attempts : 1);
          expect(unseenAttempts + seenAttempts).toBeLessThanOrEqual(
            retrySettings.attempts + retrySettings.unseenAttempts,
          );
        },
      ),
    );
  });
});
