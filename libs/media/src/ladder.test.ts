import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { displaySize, ladder } from "./ladder.ts";

const sizes = (width: number, height: number) =>
  ladder({ width, height }).map((step) => `${step.name} ${step.width}x${step.height}`);

describe("ladder", () => {
  it.each([
    [1920, 1080, ["1080p 1920x1080", "720p 1280x720", "480p 854x480", "360p 640x360", "240p 426x240"]],
    [3840, 2160, ["1080p 1920x1080", "720p 1280x720", "480p 854x480", "360p 640x360", "240p 426x240"]],
    [1280, 720, ["720p 1280x720", "480p 854x480", "360p 640x360", "240p 426x240"]],
    // Cinema shapes fill the box's width.
    [1920, 800, ["1080p 1920x800", "720p 1280x534", "480p 854x356", "360p 640x266", "240p 426x178"]],
    // Almost a rung: no scaling, no line invented.
    [1280, 719, ["720p 1280x718", "480p 854x480", "360p 640x360", "240p 426x240"]],
    [853, 479, ["480p 852x478", "360p 640x360", "240p 426x240"]],
    [1916, 1076, ["1080p 1916x1076", "720p 1280x718", "480p 854x480", "360p 640x360", "240p 426x240"]],
    // In between: starts at the first box that it fills.
    [800, 600, ["480p 640x480", "360p 480x360", "240p 320x240"]],
    [640, 480, ["480p 640x480", "360p 480x360", "240p 320x240"]],
    [1024, 576, ["480p 854x480", "360p 640x360", "240p 426x240"]],
    // Portrait: the boxes turn with it.
    [1080, 1920, ["1080p 1080x1920", "720p 720x1280", "480p 480x854", "360p 360x640", "240p 240x426"]],
    [1080, 1080, ["1080p 1080x1080", "720p 720x720", "480p 480x480", "360p 360x360", "240p 240x240"]],
    // Below the last box: its own size.
    [320, 180, ["180p 320x180"]],
    [160, 121, ["120p 160x120"]],
    [1, 1, ["2p 2x2"]],
  ])("of %i×%i", (width, height, expected) => {
    expect(sizes(width, height)).toEqual(expected);
  });

  it("never enlarges, keeps sides even and names unique, and has at least one rung", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8192 }), fc.integer({ min: 2, max: 8192 }), (width, height) => {
        const steps = ladder({ width, height });
        expect(steps.length).toBeGreaterThan(0);
        expect(new Set(steps.map((step) => step.name)).size).toBe(steps.length);
        for (const [index, step] of steps.entries()) {
          expect(step.width % 2).toBe(0);
          expect(step.height % 2).toBe(0);
          expect(step.width).toBeLessThanOrEqual(width);
          expect(step.height).toBeLessThanOrEqual(height);
          const above = steps[index - 1];
          if (above) expect(step.width * step.height).toBeLessThan(above.width * above.height);
        }
      }),
    );
  });

  it("keeps the shape, within the rounding to even sides", () => {
    const side = fc.integer({ min: 240, max: 8192 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        fc.pre(Math.max(width, height) < 4 * Math.min(width, height));
        for (const step of ladder({ width, height })) {
          const scale = Math.min(1, step.width / width, step.height / height);
          expect(Math.abs(step.width - width * scale)).toBeLessThan(8);
          expect(Math.abs(step.height - height * scale)).toBeLessThan(8);
        }
      }),
    );
  });
});

describe("displaySize", () => {
  it.each([
    ["square pixels", { width: 1280, height: 720, rotation: 0 }, { width: 1280, height: 720 }],
    ["a phone's turn", { width: 1920, height: 1080, rotation: 90 }, { width: 1080, height: 1920 }],
    ["upside down", { width: 1920, height: 1080, rotation: 180 }, { width: 1920, height: 1080 }],
    [
      "PAL widescreen",
      { width: 720, height: 576, rotation: 0, sampleAspectRatio: { num: 64, den: 45 } },
      { width: 1024, height: 576 },
    ],
    [
      "NTSC",
      { width: 720, height: 480, rotation: 0, sampleAspectRatio: { num: 8, den: 9 } },
      { width: 640, height: 480 },
    ],
    [
      "wide pixels, turned",
      { width: 720, height: 576, rotation: 270, sampleAspectRatio: { num: 64, den: 45 } },
      { width: 576, height: 1024 },
    ],
    [
      "no shape stated",
      { width: 720, height: 576, rotation: 0, sampleAspectRatio: { num: 0, den: 1 } },
      { width: 720, height: 576 },
    ],
    [
      "an absurd shape",
      { width: 720, height: 576, rotation: 0, sampleAspectRatio: { num: 1, den: 4000 } },
      { width: 720, height: 576 },
    ],
  ])("with %s", (_, stored, expected) => {
    expect(displaySize(stored)).toEqual(expected);
  });
});
