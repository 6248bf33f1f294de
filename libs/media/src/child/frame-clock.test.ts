import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timescaleFor } from "../timescale.ts";
import { createFrameClock } from "./frame-clock.ts";

const clock = (changes = {}) =>
  createFrameClock({
    timeBase: { num: 1, den: 1000 },
    timescale: 1000,
    startPts: 0,
    frameRate: { num: 25, den: 1 },
    ...changes,
  });

describe("the frame clock", () => {
  it("keeps the source's times, from 0", () => {
    const { place, end } = clock({ startPts: 1400 });
    expect([1400, 1440, 1483].map((time) => place(time, 40))).toEqual([0, 40, 83]);
    expect(end()).toBe(123);
  });

  it("counts frames without a time", () => {
    const { place } = clock();
    expect([undefined, undefined, 100, undefined].map((time) => place(time, 0))).toEqual([0, 40, 100, 140]);
  });

  it("never stands still or goes back", () => {
    const { place } = clock();
    expect([0, 40, 40, 20, 80].map((time) => place(time, 0))).toEqual([0, 40, 41, 42, 80]);
  });

  it("keeps fractional rates without drift", () => {
    const timeBase = { num: 1001, den: 30_000 };
    const { place } = clock({ timeBase, timescale: timescaleFor(timeBase), frameRate: { num: 30_000, den: 1001 } });
    for (let frame = 0; frame < 10_000; frame++) expect(place(frame, 1)).toBe(frame * 1001);
  });

  it("gives rising times whatever comes", () => {
    const time = fc.option(fc.integer({ min: -1e6, max: 1e6 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(time, fc.nat(1000)), { minLength: 1 }), (frames) => {
        const { place, end } = clock();
        const ticks = frames.map(([at, duration]) => place(at, duration));
        expect(ticks[0]).toBeGreaterThanOrEqual(0);
        expect(ticks.every((value, index) => index === 0 || value > (ticks[index - 1] ?? 0))).toBe(true);
        expect(end()).toBeGreaterThan(ticks.at(-1) ?? 0);
      }),
    );
  });
});
