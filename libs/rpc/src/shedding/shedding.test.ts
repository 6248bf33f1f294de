import { Code } from "@connectrpc/connect";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { recordingLogger } from "../testing/recording-logger.ts";
import { createShedding, noSlot } from "./shedding.ts";

afterEach(() => {
  vi.useRealTimers();
});

function call(slot: number) {
  return { slot, arrived: 0 };
}

it("doesn't let clients that are slow to send their requests keep slots", () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const shedding = createShedding(recordingLogger(), { maxLimit: 2 });
  const stop = shedding.watch();
  const slow = [1, 2].map(() => call(shedding.take(performance.now())));
  expect(shedding.take(performance.now())).toBe(noSlot);
  vi.advanceTimersByTime(250);
  expect(shedding.inFlight).toBe(0);
  const quick = call(shedding.take(performance.now()));
  expect(shedding.arrived(quick, performance.now())).toBe(true);
  // One of the slow ones finds a slot, the other one doesn't.
  expect(slow.map((late) => shedding.arrived(late, performance.now()))).toEqual([true, false]);
  for (const each of [...slow, quick]) {
    shedding.give(each, shedding.method(), performance.now(), "ok");
  }
  expect(shedding.inFlight).toBe(0);
  stop();
});

it("never loses a slot, whatever becomes of calls", () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const step = fc.record({
    action: fc.constantFrom("take", "take", "arrived", "stale", "give"),
    call: fc.nat(5),
    ms: fc.nat(120),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const shedding = createShedding(recordingLogger(), { maxLimit: 4 });
      const stop = shedding.watch();
      const method = shedding.method();
      const calls: { slot: number; arrived: number }[] = [];
      for (const { action, call: index, ms } of steps) {
        vi.advanceTimersByTime(ms);
        const now = performance.now();
        const chosen = calls[index % Math.max(1, calls.length)];
        if (action === "take") {
          const slot = shedding.take(now);
          if (slot !== noSlot) {
            calls.push(call(slot));
          }
        } else if (chosen !== undefined) {
          if (action === "arrived") {
            shedding.arrived(chosen, now);
          } else if (action === "stale") {
            shedding.stale(chosen, method, now);
          } else {
            shedding.give(chosen, method, now, Code.Canceled);
          }
        }
        expect(shedding.inFlight).toBeGreaterThanOrEqual(0);
        expect(shedding.inFlight).toBeLessThanOrEqual(4);
      }
      for (const each of calls) {
        shedding.give(each, method, performance.now(), "ok");
      }
      stop();
      expect(shedding.inFlight).toBe(0);
    }),
    { numRuns: 50 },
  );
});
