import type { TrackResult } from "@kinora/media";
import fc from "fast-check";
import { expect, it } from "vitest";
import { evenEnds } from "./even-ends.ts";

const track = (name: string, timescale: number, durations: number[]): TrackResult => ({
  name,
  codecs: "",
  timescale,
  width: 0,
  height: 0,
  sampleRate: 0,
  channels: 0,
  language: "",
  frames: 0,
  initBytes: 0,
  start: 0,
  segments: durations.map((duration) => ({ duration, bytes: 1 })),
});
const lengths = (tracks: TrackResult[]) => evenEnds(tracks).map(({ segments }) => segments.length);

it("leaves out what lies past the end of the shortest track, whatever the clocks", () => {
  const video = track("720p", 24, [96, 96]);
  const sound = track("audio", 48_000, [191_488, 192_512, 191_488, 192_512]);
  expect(lengths([video, track("240p", 24, [96, 96, 96]), sound])).toEqual([2, 2, 2]);
  expect(lengths([track("720p", 24, [96]), sound])).toEqual([1, 1]);
  expect(lengths([video, track("audio", 48_000, [191_488])])).toEqual([1, 1]);
});

it("leaves tracks alone that end together", () => {
  const tracks = [track("720p", 24, [96, 40]), track("audio", 48_000, [191_488, 80_900])];
  expect(evenEnds(tracks)).toEqual(tracks);
});

it("keeps a beginning of each track, and never makes a shorter one than before as tracks grow", () => {
  const grid = fc.array(fc.integer({ min: 60, max: 130 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(grid, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 3 }), (all, which) => {
      const before = all.map((durations, index) => track(String(index), 24, durations));
      const after = before.map((one, index) =>
        index === which ? { ...one, segments: [...one.segments, { duration: 96, bytes: 1 }] } : one,
      );
      const [counts, grown] = [lengths(before), lengths(after)];
      counts.forEach((count, index) => {
        expect(count).toBeGreaterThanOrEqual(1);
        expect(count).toBeLessThanOrEqual(all[index]?.length ?? 0);
        expect(grown[index]).toBeGreaterThanOrEqual(count);
      });
    }),
  );
});
