import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RatePoint, RenditionPlan, VideoPlan } from "../types.ts";
import { bdRate } from "./bd-rate.ts";
import { chooseLadder } from "./choose-ladder.ts";
import { atBitrate, atQuality, convexHull, meanQuality, paretoFront, rateCurves } from "./rate-curve.ts";
import { planTrial } from "./trial-plan.ts";

const point = (bitrate: number, quality: number) => ({ bitrate, quality });
const trial = (width: number, height: number, crf: number, bitrate: number, xpsnr: number): RatePoint => ({
  width,
  height,
  crf,
  bitrate,
  quality: { frames: 10, xpsnrSum: xpsnr * 10, xpsnrMin: xpsnr, ssimSum: 9, ssimMin: 0.9 },
});

describe("the rate difference of Bjøntegaard", () => {
  const curve = [point(1e6, 34), point(2e6, 37), point(4e6, 40), point(8e6, 42)];

  it("of curves that differ by a factor is that factor, however they bend", () => {
    for (const factor of [0.5, 0.8, 1, 1.25]) {
      const other = curve.map(({ bitrate, quality }) => point(bitrate * factor, quality));
      expect(bdRate(curve, other)).toBeCloseTo(factor - 1, 6);
    }
  });

  it("turned round is the inverse", () => {
    const other = [point(0.9e6, 34.5), point(1.7e6, 37.5), point(3.9e6, 40.2), point(8e6, 42.5)];
    expect((1 + bdRate(curve, other)) * (1 + bdRate(other, curve))).toBeCloseTo(1, 6);
  });

  it("counts only qualities that both reach, and says so where there are none", () => {
    const upper = curve.slice(2).map(({ bitrate, quality }) => point(bitrate * 0.9, quality));
    expect(bdRate(curve, upper)).toBeCloseTo(-0.1, 1);
    expect(bdRate(curve, [point(1e6, 50), point(2e6, 51)])).toBeNaN();
    expect(bdRate(curve, [point(1e6, 35)])).toBeNaN();
  });

  it("takes curves between straight points for straight", () => {
    const straight = [0, 1, 2, 3].map((step) => point(2 ** step, step));
    const shifted = [0.5, 1.5, 2.5].map((step) => point(2 ** step, step));
    expect(bdRate(straight, shifted)).toBeCloseTo(0, 6);
  });
});

const points = fc.array(
  fc.record({ bitrate: fc.integer({ min: 1, max: 1e7 }), quality: fc.double({ min: 20, max: 60, noNaN: true }) }),
  { minLength: 1, maxLength: 40 },
);

it("no point beats one on the Pareto front", () => {
  fc.assert(
    fc.property(points, (all) => {
      const front = paretoFront(all);
      for (const one of front) {
        expect(all.some((other) => other.bitrate <= one.bitrate && other.quality > one.quality)).toBe(false);
      }
      expect(front.map(({ bitrate }) => bitrate)).toEqual(front.map(({ bitrate }) => bitrate).sort((a, b) => a - b));
    }),
  );
});

it("the convex hull is part of the front, from end to end, and rises ever more slowly", () => {
  fc.assert(
    fc.property(points, (all) => {
      const front = paretoFront(all);
      const hull = convexHull(all);
      expect(front).toEqual(expect.arrayContaining(hull));
      expect([hull[0], hull.at(-1)]).toEqual([front[0], front.at(-1)]);
      const slopes = hull.slice(1).map((to, index) => {
        const from = hull[index] ?? to;
        return (to.quality - from.quality) / (Math.log(to.bitrate) - Math.log(from.bitrate));
      });
      for (const [index, slope] of slopes.slice(1).entries()) expect(slope).toBeLessThan(slopes[index] ?? 0);
    }),
  );
});

it("a curve answers between its trials, and not beyond them", () => {
  const [curve] = rateCurves([
    trial(1280, 720, 22, 4e6, 42),
    trial(1280, 720, 27, 2e6, 39),
    trial(1280, 720, 32, 1e6, 36),
  ]);
  if (!curve) throw new Error("no curve");
  expect(atQuality(curve, 40.5)).toMatchObject({ crf: 24.5, bitrate: expect.closeTo(2e6 * Math.SQRT2, 0) });
  expect(atBitrate(curve, 2e6)).toEqual({ quality: 39, crf: 27 });
  expect([atQuality(curve, 43), atQuality(curve, 35), atBitrate(curve, 9e6)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

const rendition = (name: string, width: number, height: number, maxBitrate: number): RenditionPlan => ({
  name,
  width,
  height,
  crf: 22,
  maxBitrate,
  bufferBits: maxBitrate * 1.5,
  profile: "high",
  level: 31,
  preset: "veryfast",
  codec: "h264",
  encoder: "cpu",
  pixelFormat: "yuv420p",
});
const fixed = [
  rendition("720p", 1280, 720, 3_400_000),
  rendition("480p", 854, 480, 1_600_000),
  rendition("360p", 640, 360, 900_000),
];
const frameRate = { num: 24, den: 1 };

describe("a ladder for one video", () => {
  /** 720p is best above 1 Mbit/s, 480p below, and 360p never. */
  const trials = [
    trial(1280, 720, 22, 4e6, 44),
    trial(1280, 720, 27, 2e6, 41),
    trial(1280, 720, 32, 1e6, 37),
    trial(854, 480, 22, 1.5e6, 38),
    trial(854, 480, 27, 0.8e6, 36.5),
    trial(854, 480, 32, 0.4e6, 34.5),
    trial(640, 360, 22, 0.9e6, 34),
    trial(640, 360, 27, 0.5e6, 33),
    trial(640, 360, 32, 0.3e6, 32),
  ];

  it("has the cheapest way to the target on top, and below it the best size for its bits", () => {
    const { renditions, choice } = chooseLadder({ trials, fixed, frameRate, qualityTarget: 42.5 });
    expect(renditions.map(({ name, width }) => [name, width])).toEqual([
      ["720p", 1280],
      ["720p-1556k", 1280],
      ["480p", 854],
    ]);
    expect(renditions[0]?.crf).toBeCloseTo(24.5, 1);
    expect(choice).toMatchObject({ qualityTarget: 42.5, points: trials });
    expect(choice.hull.map(({ width, crf }) => [width, crf])).toEqual([
      [640, 32],
      [854, 32],
      [1280, 22],
    ]);
    expect(choice.reason).toContain("1280×720 reaches 42.5 dB");
    for (const { maxBitrate, bufferBits } of renditions) {
      expect(maxBitrate).toBeLessThanOrEqual(3_400_000);
      expect(bufferBits).toBe(Math.round(maxBitrate * 1.5));
    }
  });

  it("drops rungs of an easy video, whose every size is good", () => {
    const easy = [
      trial(1280, 720, 22, 300_000, 48),
      trial(1280, 720, 27, 200_000, 46),
      trial(1280, 720, 32, 50_000, 44),
      trial(854, 480, 22, 60_000, 43),
    ];
    const { renditions, choice } = chooseLadder({ trials: easy, fixed, frameRate, qualityTarget: 42 });
    expect(renditions).toHaveLength(1);
    expect(renditions[0]).toMatchObject({ width: 1280, crf: 32 });
    expect(choice.reason).toContain("2 of 3 rungs would add nothing");
  });

  it("is the best that there is where no trial reaches the target", () => {
    const { renditions, choice } = chooseLadder({ trials, fixed, frameRate, qualityTarget: 60 });
    expect(renditions[0]).toMatchObject({ name: "720p", crf: 22 });
    expect(choice.reason).toContain("no trial reaches 60.0 dB");
  });

  it("is the fixed one where nothing could be measured", () => {
    expect(chooseLadder({ trials: [], fixed, frameRate, qualityTarget: 42 }).renditions).toEqual(fixed);
  });

  it("falls from rung to rung, under names of their own, whatever the trials say", () => {
    const size = fc.constantFrom<[number, number]>([1280, 720], [854, 480], [640, 360]);
    const any = fc.record({
      size,
      crf: fc.integer({ min: 15, max: 40 }),
      bitrate: fc.integer({ min: 1000, max: 2e7 }),
      quality: fc.double({ min: 20, max: 60, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(any, { maxLength: 20 }),
        fc.double({ min: 25, max: 50, noNaN: true }),
        (all, qualityTarget) => {
          const some = all.map((one) => trial(...one.size, one.crf, one.bitrate, one.quality));
          const { renditions } = chooseLadder({ trials: some, fixed, frameRate, qualityTarget });
          expect(renditions.length).toBeGreaterThan(0);
          expect(renditions.length).toBeLessThanOrEqual(fixed.length);
          expect(new Set(renditions.map(({ name }) => name)).size).toBe(renditions.length);
        },
      ),
    );
  });
});

describe("what is tried", () => {
  const video = { timeBase: { num: 1, den: 1000 }, startPts: 500n, renditions: fixed } as VideoPlan;

  it("is every size at several CRFs, without caps, on three samples that begin at key frames", () => {
    const plan = planTrial({ video, fixed, durationSeconds: 60, keyframePts: [500n, 9000n, 29_000n, 31_000n] });
    expect(plan.video.renditions).toHaveLength(4 + 4 + 3);
    expect(new Set(plan.video.renditions.map(({ name }) => name)).size).toBe(11);
    expect(plan.video.renditions.every(({ maxBitrate }) => maxBitrate === 0)).toBe(true);
    expect(plan.samples.map(({ startPts, endPts }) => [startPts, endPts])).toEqual([
      [9000n, 11_000n],
      [29_000n, 31_000n],
      [31_000n, 33_000n],
    ]);
  });

  it("of a short video is all of it", () => {
    const { samples } = planTrial({ video, fixed, durationSeconds: 5 });
    expect(samples).toMatchObject([{ startPts: 500n, segmentPts: [500n] }]);
    expect(samples[0]?.endPts).toBeUndefined();
  });
});

it("the mean quality of nothing is 0", () => {
  expect(meanQuality({ quality: undefined })).toBe(0);
});
