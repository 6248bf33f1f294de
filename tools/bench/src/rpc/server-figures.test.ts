import { expect, test } from "vitest";
import type { ServerSample } from "./load/server-load.ts";
import { throughputRatio } from "./server-figures.ts";

function sample(perSecond: number, cpuMicrosPerCall: number, utilisation: number): ServerSample {
  return { perSecond, cpuMicrosPerCall, utilisation, p50: 1, p99: 2, rssBytes: 3 };
}

test("calls per second count where both cores were busy", () => {
  expect(throughputRatio([sample(30_000, 33, 1)], [sample(40_000, 20, 0.95)])).toBe(0.75);
});

test("CPU per call counts where one server waited for its load", () => {
  expect(throughputRatio([sample(10_000, 40, 0.4)], [sample(10_000, 20, 1)])).toBe(0.5);
});
