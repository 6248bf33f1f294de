import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ageInYears, birthDateFault } from "./birth-date.ts";

const day = (text: string) => new Date(`${text}T12:00:00Z`);

describe("birthDateFault", () => {
  it.each([
    ["2000-02-29", undefined],
    ["1900-01-01", undefined],
    ["2026-03-01", undefined],
    ["1899-12-31", /before 1900-01-01/],
    ["2026-03-02", /future/],
    ["2001-02-29", /exists/],
    ["1900-02-29", /exists/],
    ["2000-02-30", /exists/],
    ["2000-13-01", /exists/],
    ["2000-00-10", /exists/],
    ["2000-01-00", /exists/],
    ["2000-1-1", /YYYY-MM-DD/],
    ["2000-01-01\n", /YYYY-MM-DD/],
    ["0000-01-01", /before/],
    ["", /YYYY-MM-DD/],
    ["２０００-01-01", /YYYY-MM-DD/],
  ])("%j", (text, expected) => {
    const fault = birthDateFault(text, day("2026-03-01"));
    if (expected === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(expected);
  });
});

describe("ageInYears", () => {
  it.each([
    ["", "2026-03-01", 0],
    ["2000-06-15", "2026-06-14", 25],
    ["2000-06-15", "2026-06-15", 26],
    ["2000-06-15", "2026-06-16", 26],
    ["2026-03-01", "2026-03-01", 0],
    ["2026-03-02", "2026-03-01", 0],
    ["1999-12-31", "2000-01-01", 0],
    ["2000-02-29", "2024-02-28", 23],
    ["2000-02-29", "2024-02-29", 24],
    ["2000-02-29", "2025-02-28", 24],
    ["2000-02-29", "2025-03-01", 25],
    ["1900-01-01", "2100-02-28", 200],
  ])("born %j, on %s: %i", (birthDate, today, age) => {
    expect(ageInYears(birthDate, day(today))).toBe(age);
  });

  it("goes by the day in UTC", () => {
    expect(ageInYears("2000-06-15", new Date("2026-06-14T23:59:59.999Z"))).toBe(25);
    expect(ageInYears("2000-06-15", new Date("2026-06-15T00:00:00.000Z"))).toBe(26);
  });

  it("never falls as time passes, and rises by one a year", () => {
    const dates = fc.date({ min: day("1900-01-01"), max: day("2099-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(dates, fc.integer({ min: 0, max: 40_000 }), (born, days) => {
        const birthDate = born.toISOString().slice(0, 10);
        const later = new Date(born.getTime() + days * 86_400_000);
        const age = ageInYears(birthDate, later);
        const dayAfter = ageInYears(birthDate, new Date(later.getTime() + 86_400_000));
        expect(dayAfter - age).toBeGreaterThanOrEqual(0);
        expect(dayAfter - age).toBeLessThanOrEqual(1);
        expect(Math.abs(age - days / 365.2425)).toBeLessThan(1.01);
      }),
    );
  });
});
