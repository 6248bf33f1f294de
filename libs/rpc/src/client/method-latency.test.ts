import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMethodLatency } from "./method-latency.ts";

/** What a series of answers makes of the last of them. */
function lastOf(series: number[]): number {
  const latency = createMethodLatency();
  return series.reduce((_, ms) => latency.relative(ms), 0);
}

describe("createMethodLatency", () => {
  it("makes methods comparable: the same pattern, a thousand times slower, looks the same", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1, max: 100, noNaN: true }), { minLength: 1, maxLength: 50 }), (series) => {
        expect(lastOf(series.map((ms) => ms * 1000))).toBeCloseTo(lastOf(series), 6);
      }),
    );
  });

  it("measures by quick calls, even if a third of all calls go to a slow endpoint", () => {
    const latency = createMethodLatency();
    // The very first is slow: it has to connect.
    latency.relative(60);
    for (let i = 0; i < 3000; i++) {
      latency.relative(i % 3 === 0 ? 20 : 1);
    }
    expect(latency.compare(1)).toBeGreaterThan(0.8);
    expect(latency.compare(1)).toBeLessThan(1.2);
    expect(latency.compare(20)).toBeGreaterThan(16);
  });

  it("knows nothing at first, and learns nothing by comparing", () => {
    const latency = createMethodLatency();
    expect(latency.compare(5)).toBe(1);
    expect(latency.compare(0)).toBe(1);
    latency.relative(10);
    expect(latency.compare(50)).toBe(5);
    expect(latency.compare(50)).toBe(5);
  });
});
