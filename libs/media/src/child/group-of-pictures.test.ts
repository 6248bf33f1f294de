import fc from "fast-check";
import { expect, it } from "vitest";
import { samplesOfGroup } from "./group-of-pictures.ts";

const data = Buffer.from("x");
const group = (times: number[]) => times.map((ticks, index) => ({ data, ticks, isKey: index === 0 }));

it("decodes a group from its first picture's time on, with offsets for reordered pictures", () => {
  const { decodeTime, samples } = samplesOfGroup(group([100, 140, 120, 110, 130]), 150, 20);
  expect(decodeTime).toBe(100);
  expect(samples.map((sample) => sample.duration)).toEqual([10, 10, 10, 10, 10]);
  expect(samples.map((sample) => sample.compositionOffset)).toEqual([20, 50, 20, 0, 10]);
  expect(samples.map((sample) => sample.sync)).toEqual([true, false, false, false, false]);
});

it("decodes pictures earlier where a long pause would make them late", () => {
  // Shown at 0, 10, 500, 510; decoded in the order 0, 510, 10, 500.
  const { samples } = samplesOfGroup(group([0, 510, 10, 500]), 520, 20);
  expect(samples.map((sample) => sample.duration)).toEqual([10, 20, 480, 10]);
  expect(samples.map((sample) => sample.compositionOffset)).toEqual([20, 520, 0, 10]);
});

it("presents every picture of any group at its own time, with no negative offset", () => {
  const distances = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(distances, fc.nat(1e6), fc.integer({ min: 100, max: 1000 }), (distances, start, shift) => {
      let at = start;
      const shown = [at, ...distances.map((distance) => (at += distance))];
      const end = at + 7;
      // As x264 does it: each picture of a pair or a pyramid after those that it refers to.
      const decoded = shown.slice(0, 1);
      for (let index = 1; index < shown.length; index += 4) {
        const [a, b, c, d] = shown.slice(index, index + 4);
        decoded.push(...[d, b, a, c].filter((ticks) => ticks !== undefined));
      }
      const { decodeTime, samples } = samplesOfGroup(group(decoded), end, shift);
      expect(decodeTime).toBe(start);
      let clock = decodeTime;
      for (const [index, sample] of samples.entries()) {
        expect(sample.duration).toBeGreaterThan(0);
        expect(sample.compositionOffset).toBeGreaterThanOrEqual(0);
        expect(clock + sample.compositionOffset - shift).toBe(decoded[index]);
        clock += sample.duration;
      }
      expect(clock).toBe(end);
    }),
  );
});
