import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Phase, type Progress, wholeFraction } from "./progress.ts";
import { drawBar, renderBar, renderLine } from "./progress-bar.ts";
import { textWidth } from "./text-width.ts";

const parts = { upload: true, download: false };
const style = { columns: 80, unicode: false, paint: (text: string) => text };
const upload: Progress = {
  phase: "upload",
  fraction: 0.5,
  bytes: { done: 17_000_000, total: 34_000_000 },
  speed: 12_300_000,
  remainingSeconds: 1.4,
  waiting: false,
};
const encode: Progress = { phase: "encode", fraction: 0.25, speed: 4.21, remainingSeconds: 34, waiting: false };

describe("renderBar", () => {
  it.each([
    [upload, 90, "Sending     ##---------------------------  10 %  12.3 MB/s  0:01 left  17.0 MB of 34.0 MB"],
    [upload, 60, "Sending     #------------------  10 %  12.3 MB/s  0:01 left"],
    [upload, 46, "Sending     #---------------  10 %  12.3 MB/s"],
    [upload, 32, "Sending     #------------  10 %"],
    [upload, 20, "Sending     10 %"],
    [encode, 80, "Encoding    ################------------------------  40 %  4.2×  0:34 left"],
  ])("draws speed and time left, as far as the terminal is wide enough", (progress, columns, line) => {
    expect(renderBar(progress, parts, { ...style, columns })).toBe(line);
  });

  it("says that the server is away, without figures that are no longer true", () => {
    const line = renderBar({ ...upload, waiting: true }, parts, style);
    expect(line).toBe("Waiting for the server ####------------------------------------  10 %");
  });

  it("never fills the terminal's last cell", () => {
    const phase = fc.constantFrom<Phase>("upload", "queue", "probe", "encode", "download");
    fc.assert(
      fc.property(
        phase,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        fc.boolean(),
        fc.integer({ min: 1, max: 300 }),
        (phase, fraction, speed, waiting, columns) => {
          const bytes = { done: Math.round(fraction * speed), total: Math.round(speed) };
          const progress = { phase, fraction, speed, waiting, bytes, remainingSeconds: speed };
          expect(textWidth(renderBar(progress, parts, { ...style, columns }))).toBeLessThan(columns);
        },
      ),
    );
  });
});

it.each([
  [0, false, "----------"],
  [0.55, false, "#####-----"],
  [1, false, "##########"],
  [0.3, true, "███░░░░░░░"],
])("drawBar(%d, unicode %s)", (fraction, unicode, bar) => {
  expect(drawBar(fraction, 10, unicode)).toBe(bar);
});

it.each<[Progress, string]>([
  [upload, "Sending: 10 %, 12.3 MB/s, 0:01 left, 17.0 MB of 34.0 MB"],
  [encode, "Encoding: 40 %, 4.2×, 0:34 left"],
  [
    {
      ...encode,
      tracks: [
        { name: "720p", fraction: 0.257, speed: 4.21 },
        { name: "audio", fraction: 1, speed: 0 },
      ],
    },
    "Encoding: 40 %, 4.2×, 0:34 left, 720p 25 % · audio 100 %",
  ],
  [{ phase: "queue", fraction: 0, speed: 0, waiting: false }, "Waiting for a worker: 20 %"],
  [{ ...encode, waiting: true }, "Waiting for the server: 40 %"],
])("renders a line for a log", (progress, line) => {
  expect(renderLine(progress, parts)).toBe(line);
});

describe("wholeFraction", () => {
  it("grows along the way, from 0 to 1, whichever parts there are", () => {
    for (const upload of [true, false]) {
      for (const download of [true, false]) {
        const way: Pick<Progress, "phase" | "fraction">[] = [
          ...(upload ? [0, 0.5, 1].map((fraction) => ({ phase: "upload" as const, fraction })) : []),
          { phase: "queue", fraction: 0 },
          { phase: "probe", fraction: 0 },
          ...[0, 0.5, 1].map((fraction) => ({ phase: "encode" as const, fraction })),
          ...(download ? [0, 0.5, 1].map((fraction) => ({ phase: "download" as const, fraction })) : []),
        ];
        const fractions = way.map((progress) => wholeFraction(progress, { upload, download }));
        expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
        expect(fractions[0]).toBe(0);
        expect(fractions.at(-1)).toBe(1);
      }
    }
  });
});
