import fc from "fast-check";
import { expect, it } from "vitest";
import { planStoryboard, storyboardVtt } from "./storyboard.ts";

const hd = { width: 1920, height: 1080, tileSide: 160, maxTiles: 200 };

it.each([
  [52, 1, 52],
  [200, 1, 200],
  [201, 2, 101],
  [1800, 10, 180],
  [24 * 3600, 600, 144],
  [0.04, 1, 1],
  [0, 1, 1],
])("a video of %d s has a picture every %d s, %d in all", (durationSeconds, intervalSeconds, count) => {
  expect(planStoryboard({ ...hd, durationSeconds })).toMatchObject({ intervalSeconds, count, width: 160, height: 90 });
});

it("keeps the video's shape", () => {
  expect(planStoryboard({ ...hd, width: 1080, height: 1920, durationSeconds: 9 })).toMatchObject({
    width: 90,
    height: 160,
  });
  expect(planStoryboard({ ...hd, width: 64, height: 36, durationSeconds: 9 })).toMatchObject({ width: 64, height: 36 });
});

it("never has more pictures than it may", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 86_400, noNaN: true }),
      fc.integer({ min: 1, max: 500 }),
      (durationSeconds, maxTiles) => {
        const plan = planStoryboard({ ...hd, durationSeconds, maxTiles });
        expect(plan.count).toBeLessThanOrEqual(maxTiles);
        expect(plan.count * plan.intervalSeconds).toBeGreaterThanOrEqual(durationSeconds);
      },
    ),
  );
});

it("names each picture's place", () => {
  const plan = { width: 160, height: 90, columns: 2, rows: 1, intervalSeconds: 2, count: 3 };
  expect(storyboardVtt(plan, ["storyboard-1.jpg", "storyboard-2.jpg"], 3_605.5)).toBe(`WEBVTT

00:00:00.000 --> 00:00:02.000
storyboard-1.jpg#xywh=0,0,160,90

00:00:02.000 --> 00:00:04.000
storyboard-1.jpg#xywh=160,0,160,90

00:00:04.000 --> 01:00:05.500
storyboard-2.jpg#xywh=0,0,160,90
`);
});
