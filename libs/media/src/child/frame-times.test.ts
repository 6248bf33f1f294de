import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Rational } from "../types.ts";
import { createFrameTimes } from "./frame-times.ts";

function summarise(times: (number | undefined)[], timeBase: Rational, stated: Rational[] = [], duration = 0) {
  const frames = createFrameTimes(timeBase, stated);
  for (const time of times) frames.add(time, duration);
  return frames.summary();
}
const ms = { num: 1, den: 1000 };

describe("frame times", () => {
  it("of an even track give its stated rate", () => {
    const times = Array.from({ length: 100 }, (_, index) => index * 1001);
    expect(summarise(times, { num: 1, den: 24_000 }, [{ num: 24_000, den: 1001 }], 1001)).toEqual({
      count: 100,
      first: 0,
      end: 100 * (1001 / 24_000),
      frameRate: { num: 24_000, den: 1001 },
      variable: false,
      late: 0,
    });
  });

  it("of an even track in milliseconds are even all the same", () => {
    const times = Array.from({ length: 100 }, (_, index) => Math.round((index * 1001) / 30));
    expect(summarise(times, ms, [{ num: 30_000, den: 1001 }])).toMatchObject({
      frameRate: { num: 30_000, den: 1001 },
      variable: false,
    });
    expect(summarise(times, ms, [])).toMatchObject({ frameRate: { num: 29_973, den: 1000 }, variable: false });
  });

  it("tell a variable rate, and its average", () => {
    expect(summarise([0, 40, 80, 200, 240, 400], ms, [{ num: 25, den: 1 }])).toMatchObject({
      frameRate: { num: 25, den: 2 },
      variable: true,
      end: 0.48,
    });
  });

  it("replace a stated rate that is wrong", () => {
    const times = Array.from({ length: 50 }, (_, index) => index * 40);
    expect(summarise(times, ms, [{ num: 1000, den: 1 }])).toMatchObject({
      frameRate: { num: 25, den: 1 },
      variable: false,
    });
  });

  it("may be missing", () => {
    expect(summarise([], ms)).toMatchObject({ count: 0, first: 0 });
    expect(summarise([undefined, undefined], ms, [{ num: 30, den: 1 }])).toMatchObject({
      count: 2,
      frameRate: { num: 30, den: 1 },
    });
    expect(summarise([7000], ms, [{ num: 30, den: 1 }], 40)).toMatchObject({ count: 1, first: 7, end: 7.04 });
  });

  it("may come in the order of decoding", () => {
    const displayed = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 200 });
    fc.assert(
      fc.property(displayed, fc.integer({ min: 2, max: 16 }), (distances, group) => {
        let time = 0;
        const times = distances.map((distance) => (time += distance));
        const decoded: number[] = [];
        for (let at = 0; at < times.length; at += group) decoded.push(...times.slice(at, at + group).reverse());
        expect(summarise(decoded, ms)).toEqual(summarise(times, ms));
      }),
    );
  });
});
