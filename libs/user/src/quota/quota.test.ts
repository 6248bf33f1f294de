import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideRelease,
  decideReserve,
  decideSettle,
  exhaustedSentence,
  fits,
  monthStart,
  nextMonthStart,
  type Reservation,
} from "./quota.ts";

const now = new Date("2026-12-31T23:59:59.999Z");
const minute = 60_000;

describe("the month", () => {
  it("is the calendar's, in UTC", () => {
    expect(monthStart(now)).toEqual(new Date("2026-12-01T00:00:00Z"));
    expect(nextMonthStart(now)).toEqual(new Date("2027-01-01T00:00:00Z"));
    expect(monthStart(new Date("2026-03-01T00:00:00Z"))).toEqual(new Date("2026-03-01T00:00:00Z"));
  });

  it("holds every moment in exactly one month", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("1970-01-01"), max: new Date("9000-01-01"), noInvalidDate: true }),
        (time) => {
          expect(monthStart(time) <= time && time < nextMonthStart(time)).toBe(true);
          expect(monthStart(nextMonthStart(time))).toEqual(nextMonthStart(time));
        },
      ),
    );
  });
});

describe("fits", () => {
  it.each([
    [0, 1e9, 1e9, 1e9, true],
    [60, 0, 0, 60, true],
    [60, 0, 0, 60.1, false],
    [60, 30, 20, 10, true],
    [60, 30, 20, 10.01, false],
    [60, 70, 0, 0, false],
  ])("limit %d, used %d, reserved %d, asked %d minutes: %s", (limit, used, reserved, asked, expected) => {
    const state = { limitMs: limit * minute, usedMs: used * minute, reservedMs: reserved * minute };
    expect(fits(state, asked * minute)).toBe(expected);
  });
});

describe("exhaustedSentence", () => {
  it.each([
    [
      { limitMs: 60 * minute, usedMs: 50 * minute, reservedMs: 7.25 * minute },
      3.01,
      "This video needs 3.1 minutes of your encoding quota, but 2.7 of 60 are left this month (50 used and 7.3 set aside for encodes under way). The quota starts anew on 2027-01-01.",
    ],
    [
      { limitMs: 60 * minute, usedMs: 75 * minute, reservedMs: 0 },
      1,
      "This video needs 1 minutes of your encoding quota, but 0 of 60 are left this month (75 used). The quota starts anew on 2027-01-01.",
    ],
  ])("%j, %d minutes asked", (state, asked, sentence) => {
    expect(exhaustedSentence(state, asked * minute, now)).toBe(sentence);
  });
});

describe("a reservation", () => {
  const open: Reservation = {
    userId: "u",
    milliseconds: 1,
    state: "reserved",
    expireTime: new Date(now.getTime() + 1),
  };
  const lapsed: Reservation = { ...open, expireTime: now };
  const settled: Reservation = { ...open, state: "settled" };
  const released: Reservation = { ...open, state: "released" };

  it.each<[string, Reservation | undefined, string, string, string]>([
    // what there is, reserve, settle, release
    ["none", undefined, "make", "not_found", "nothing"],
    ["open", open, "keep", "settle", "release"],
    ["lapsed", lapsed, "renew", "settle", "release"],
    ["settled", settled, "failed_precondition", "nothing", "failed_precondition"],
    ["released", released, "failed_precondition", "failed_precondition", "nothing"],
  ])("%s", (_name, found, reserve, settle, release) => {
    const of = (decision: ReturnType<typeof decideSettle>) =>
      decision.move === "refuse" ? decision.reason : decision.move;
    expect([of(decideReserve(found, "u", 1, now)), of(decideSettle(found)), of(decideRelease(found))]).toEqual([
      reserve,
      settle,
      release,
    ]);
  });

  it("is made anew where more is needed, and kept where less is", () => {
    expect(decideReserve(open, "u", 2, now)).toEqual({ move: "renew" });
    expect(decideReserve(open, "u", 0, now)).toEqual({ move: "keep" });
  });

  it("of somebody else is refused", () => {
    expect(decideReserve(open, "other", 1, now)).toMatchObject({ move: "refuse", reason: "failed_precondition" });
  });
});
