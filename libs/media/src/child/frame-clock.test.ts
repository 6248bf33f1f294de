import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameClock, timescaleFor } from "./frame-clock.ts";

it.each([
  [{ num: 1, den: 12_288 }, 12_288],
  [{ num: 1, den: 90_000 }, 90_000],
  [{ num: 1, den: 1000 }, 1000],
  [{ num: 1, den: 24 }, 24 * 42],
  [{ num: 1001, den: 24_000 }, 24_000],
  [{ num: 1, den: 1_000_000_000 }, 90_000],
  [{ num: 0, den: 1 }, 90_000],
])("the timescale for units of %o is %i", (timeBase, timescale) => {
  expect(timescaleFor(timeBase)).toBe(timescale);
});

const clock = (changes = {}) =>
  createFrameClock({
    timeBase: { num: 1, den: 1000 },
    timescale: 1000,
    startSeconds: 0,
    segmentSeconds: 4,
    frameRate: { num: 25, den: 1 },
    ...changes,
  });

describe("the frame clock", () => {
  it("keeps the source's times, from 0", () => {
    const { place, end } = clock({ startSeconds: 1.4 });
    expect([1400, 1440, 1483].map((time) => place(time, 40).ticks)).toEqual([0, 40, 83]);
    expect(end()).toBe(123);
  });

  it("counts frames without a time", () => {
    const { place } = clock();
    expect([undefined, undefined, 100, undefined].map((time) => place(time, 0).ticks)).toEqual([0, 40, 100, 140]);
  });

  it("never stands still or goes back", () => {
    const { place } = clock();
    expect([0, 40, 40, 20, 80].map((time) => place(time, 0).ticks)).toEqual([0, 40, 41, 42, 80]);
  });

  it("starts a segment with the first frame at or past each multiple of its length", () => {
    const { place } = clock();
    const starts = [0, 3999, 4000, 4001, 8010, 11_990, 12_001, 25_000, 25_040, 28_000];
    expect(starts.filter((time) => place(time, 0).startsSegment)).toEqual([0, 4000, 8010, 12_001, 25_000, 28_000]);
  });

  it("keeps fractional rates without drift", () => {
    const timeBase = { num: 1001, den: 30_000 };
    const { place } = clock({ timeBase, timescale: timescaleFor(timeBase), frameRate: { num: 30_000, den: 1001 } });
    for (let frame = 0; frame < 10_000; frame++) expect(place(frame, 1).ticks).toBe(frame * 1001);
  });

  it("gives rising times whatever comes", () => {
    const time = fc.option(fc.integer({ min: -1e6, max: 1e6 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(time, fc.nat(1000)), { minLength: 1 }), (frames) => {
        const { place, end } = clock();
        const ticks = frames.map(([at, duration]) => place(at, duration).ticks);
        expect(ticks[0]).toBeGreaterThanOrEqual(0);
        expect(ticks.every((value, index) => index === 0 || value > (ticks[index - 1] ?? 0))).toBe(true);
        expect(end()).toBeGreaterThan(ticks.at(-1) ?? 0);
      }),
    );
  });
});
