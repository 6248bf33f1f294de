import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FrameTable } from "../types.ts";
import { createSceneWindows } from "./scene-windows.ts";

const hd = 1280 * 720;

/** 25 frames a second for so many seconds, with a key frame every so many frames, in a time base of 1/25 s. */
function steady(seconds: number, between: number, more: Partial<FrameTable> = {}): FrameTable {
  const frameCount = seconds * 25;
  return {
    timeBase: { num: 1, den: 25 },
    frameCount,
    startPts: 0n,
    endPts: BigInt(frameCount),
    runFrames: [frameCount],
    runDeltas: [1n],
    keyframePts: Array.from({ length: Math.ceil(frameCount / between) }, (_, key) => BigInt(key * between)),
    sceneChanges: [],
    damage: [],
    ...more,
  };
}

/** The windows of cuts at even distances, of a second on either side. */
function windows(table: FrameTable, options: { slots: number; pixels: number; every?: number; bytes?: number }) {
  const { every = 32, bytes = 1e6 } = options;
  const windowAt = createSceneWindows(table, { ...options, bytes });
  return Array.from({ length: Math.floor(table.frameCount / 25 / every) - 1 }, (_, index) =>
    windowAt({ pts: BigInt((index + 1) * every * 25), slack: 25n }),
  );
}
const looked = (all: ReturnType<typeof windows>) => all.filter((window) => window !== undefined);
const pictures = (all: ReturnType<typeof windows>) => looked(all).reduce((sum, window) => sum + window.pictures, 0);

describe("the windows that are decoded", () => {
  it("begin at the key frame before, and have two pictures to compare with", () => {
    const [window] = windows(steady(120, 48), { slots: 1, pixels: hd });
    expect(window).toEqual({ seekPts: 768n, fromPts: 773n, startPts: 775n, endPts: 825n, pictures: 58 });
  });

  it("are all of a short source's, and fewer the more slots would wait", () => {
    const table = steady(600, 48);
    const counts = [1, 2, 8, 32, 1000].map((slots) => looked(windows(table, { slots, pixels: hd })).length);
    expect(counts[0]).toBe(17);
    expect(counts).toEqual(counts.toSorted((one, other) => other - one));
    expect(counts.at(-1)).toBe(0);
  });

  it("are spread over a long source, within a fixed number of pixels", () => {
    const all = windows(steady(86_400, 250), { slots: 1, pixels: hd });
    expect(pictures(all) * hd).toBeLessThan(3e9);
    expect(all.findIndex(Boolean)).toBeLessThan(200);
    expect(all.findLastIndex(Boolean)).toBeGreaterThan(all.length - 200);
  });

  it("are few of a source whose pictures are large", () => {
    const bytes = 20e9;
    const all = windows(steady(3600, 1), { slots: 1, pixels: hd, bytes });
    expect(looked(all).length).toBeGreaterThan(5);
    expect((pictures(all) * bytes) / (3600 * 25)).toBeLessThan(100e6);
  });

  it("are never more than a part of what lies before them, whatever the key frames", () => {
    const anyTable = fc
      .tuple(fc.integer({ min: 10, max: 2000 }), fc.array(fc.nat(50_000), { maxLength: 200 }))
      .map(([seconds, keys]) => {
        const keyframePts = [...new Set(keys)].sort((a, b) => a - b).map(BigInt);
        return steady(seconds, 25, { keyframePts });
      });
    fc.assert(
      fc.property(anyTable, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 4, max: 60 }), (table, slots, every) => {
        const all = windows(table, { slots, pixels: hd, every });
        for (const [index, window] of all.entries()) {
          if (window) expect(window.seekPts <= window.fromPts).toBe(true);
          expect(pictures(all.slice(0, index + 1)) * slots).toBeLessThanOrEqual(((index + 1) * every * 25) / 4);
        }
      }),
    );
  });

  it("end before a recording's clock starts anew", () => {
    const all = windows(steady(120, 48, { lastCutPts: 1610n }), { slots: 1, pixels: hd });
    expect(all.map((window) => window !== undefined)).toEqual([true, false]);
  });
});
