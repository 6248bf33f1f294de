import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cascade } from "./scaler.ts";

const size = fc.record({ width: fc.integer({ min: 2, max: 4096 }), height: fc.integer({ min: 2, max: 4096 }) });

describe("cascade", () => {
  it("makes each rung from the one above it", () => {
    const ladder = [
      { width: 426, height: 240 },
      { width: 1280, height: 720 },
      { width: 854, height: 480 },
      { width: 640, height: 360 },
    ];
    expect(cascade(ladder)).toEqual([
      { index: 1, from: undefined },
      { index: 2, from: 1 },
      { index: 3, from: 2 },
      { index: 0, from: 3 },
    ]);
  });

  it("makes nothing from what is smaller in any direction", () => {
    expect(
      cascade([
        { width: 640, height: 360 },
        { width: 360, height: 640 },
      ]).map(({ from }) => from),
    ).toEqual([undefined, undefined]);
  });

  it("makes each size once, after what it is made from, and never enlarges a size", () => {
    fc.assert(
      fc.property(fc.array(size, { maxLength: 8 }), (sizes) => {
        const made = new Set<number>();
        for (const { index, from } of cascade(sizes)) {
          expect(made.has(index)).toBe(false);
          if (from !== undefined) {
            expect(made.has(from)).toBe(true);
            expect(sizes[from]?.width).toBeGreaterThanOrEqual(sizes[index]?.width ?? Infinity);
            expect(sizes[from]?.height).toBeGreaterThanOrEqual(sizes[index]?.height ?? Infinity);
          }
          made.add(index);
        }
        expect(made.size).toBe(sizes.length);
      }),
    );
  });
});
