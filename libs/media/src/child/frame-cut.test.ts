import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutChunk, cutWhole, type Place } from "./frame-cut.ts";

describe("a whole source", () => {
  it("starts a segment with the first frame at or past each multiple of its length", () => {
    const { place } = cutWhole(4000);
    const times = [0, 3999, 4000, 4001, 8010, 11_990, 12_001, 25_000, 25_040, 28_000];
    expect(times.filter((time) => place(time) === "segment-start")).toEqual([0, 4000, 8010, 12_001, 25_000, 28_000]);
  });
});

describe("a chunk", () => {
  it("has the frames from its start to before its end, and knows where the next one begins", () => {
    const { place, next, isBefore } = cutChunk({ start: 100, end: 300, segments: [100, 200] });
    expect(isBefore(99)).toBe(true);
    const places = [0, 99, 100, 140, 199, 200, 260, 299].map(place);
    expect(places).toEqual<Place[]>([
      "before",
      "before",
      "segment-start",
      "inside",
      "inside",
      "segment-start",
      "inside",
      "inside",
    ]);
    expect(next()).toBeUndefined();
    expect([305, 340].map(place)).toEqual<Place[]>(["after", "after"]);
    expect(next()).toBe(305);
  });

  it("starts a segment with its first frame, whatever the plan thought", () => {
    const { place } = cutChunk({ segments: [50] });
    expect([0, 40, 80].map(place)).toEqual<Place[]>(["segment-start", "inside", "segment-start"]);
  });

  it("together with the others has each frame once", () => {
    const rising = fc
      .uniqueArray(fc.nat(10_000), { minLength: 1, maxLength: 200 })
      .map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(rising, rising, (frames, cuts) => {
        const bounds = [undefined, ...cuts, undefined];
        const parts = bounds.slice(1).map((end, index) => {
          const start = bounds[index];
          const { place } = cutChunk({ start, end, segments: start === undefined ? [0] : [start] });
          return frames.filter((time) => !["before", "after"].includes(place(time)));
        });
        expect(parts.flat()).toEqual(frames);
      }),
    );
  });
});
