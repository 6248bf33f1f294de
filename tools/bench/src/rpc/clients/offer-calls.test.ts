import { expect, test } from "vitest";
import { type Clock, offerCalls } from "./offer-calls.ts";

const request = { method: "getUser", perSecond: 1_000, settleMs: 100, milliseconds: 1_000, patienceMs: 20 } as const;

/** Goes on by the time that is waited for: ten milliseconds at least, as on a machine that is late. */
function fakeClock(): Clock & { pass(ms: number): void } {
  let time = 0;
  return {
    now: () => time,
    pass: (ms) => {
      time += ms;
    },
    async sleep(ms) {
      time += Math.max(10, ms);
    },
  };
}

test("calls begin at their rate whether or not earlier ones are answered", async () => {
  let begun = 0;
  const client = {
    call: () => {
      begun++;
      return new Promise<void>(() => {});
    },
    close: () => {},
  };
  const result = await offerCalls(client, request, fakeClock());
  // Up to the last tick of the 1,100 ms.
  expect(begun).toBe(1_090);
  expect(result.offeredPerSecond).toBeCloseTo(1_000, -2);
  expect(result.goodPerSecond).toBe(0);
});

test("good answers, faults and late answers are told apart, and what comes before the settling is over doesn't count", async () => {
  const clock = fakeClock();
  let begun = 0;
  const client = {
    async call() {
      begun++;
      if (begun % 100 === 1) {
        clock.pass(30);
      }
      if (begun % 100 === 2) {
        throw new Error("8");
      }
    },
    close: () => {},
  };
  const result = await offerCalls(client, request, clock);
  const counted = begun - 100;
  expect(Object.keys(result.faults).sort()).toEqual(["8", "too late"]);
  expect(result.goodPerSecond).toBeGreaterThan(0);
  expect(result.goodPerSecond).toBeLessThan(counted);
  expect(result.p99).toBeLessThanOrEqual(request.patienceMs);
});
