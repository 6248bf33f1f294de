import { describe, expect, it } from "vitest";
import { sweepMs } from "../worker/sweep.ts";
import { afterFault, heartbeatSeconds, leaseSeconds, leaseStanding, maxFaults, timeLimitSeconds } from "./lease.ts";
import type { TaskKind } from "./task-kind.ts";

describe("leaseStanding", () => {
  it.each([
    [{ state: "leased", attempt: 2 }, 2, "held"],
    [{ state: "leased", attempt: 3 }, 2, "lost"],
    [{ state: "leased", attempt: 1 }, 2, "lost"],
    [{ state: "waiting", attempt: 2 }, 2, "returned"],
    [{ state: "waiting", attempt: 3 }, 2, "lost"],
    [{ state: "done", attempt: 2 }, 2, "completed"],
    [{ state: "done", attempt: 3 }, 2, "lost"],
    [{ state: "failed", attempt: 2 }, 2, "failed"],
    [{ state: "failed", attempt: 3 }, 2, "lost"],
    [{ state: "cancelled", attempt: 2 }, 2, "cancelled"],
    [{ state: "cancelled", attempt: 3 }, 2, "cancelled"],
    [undefined, 1, "cancelled"],
  ] as const)("%j under attempt %i: %s", (task, attempt, standing) => {
    expect(leaseStanding(task, attempt)).toBe(standing);
  });
});

it("a dead worker's task waits again within 15 s, and a live one has five heartbeats to be late with", () => {
  expect(heartbeatSeconds).toBeLessThanOrEqual(2);
  // Writing heartbeats together, and the sweep itself, have the rest.
  expect(leaseSeconds + sweepMs / 1000).toBeLessThanOrEqual(13);
  expect(leaseSeconds).toBeGreaterThanOrEqual(5 * heartbeatSeconds);
});

describe("afterFault", () => {
  it("tries again at once, then after growing pauses, then gives up and says why", () => {
    const fault = { message: "It ran out of memory.", crashed: false };
    const decisions = [1, 2, 3, 4, 5].map((faults) =>
      afterFault({ kind: "audio", faults, crashes: 0 }, fault, "encode a sound track"),
    );
    const reason = `It was given up after ${maxFaults} attempts. The last one ended like this: It ran out of memory.`;
    expect(decisions.slice(0, 4)).toEqual([0, 2, 4, 8].map((delaySeconds) => ({ retry: true, delaySeconds })));
    expect(decisions[4]).toEqual({
      retry: false,
      reason,
      error: `A worker could not encode a sound track. ${reason}`,
    });
  });

  it("takes the second crash for the file's doing, among whatever other faults", () => {
    const crash = { message: "The process was ended by SIGSEGV.", crashed: true };
    const after = (kind: TaskKind, faults: number, crashes: number, fault = crash) =>
      afterFault({ kind, faults, crashes }, fault, "encode chunk 3");
    expect(after("encode_chunk", 1, 1)).toEqual({ retry: true, delaySeconds: 0 });
    for (const faults of [2, 3, 4]) {
      expect(after("encode_chunk", faults, 2)).toMatchObject({
        retry: false,
        reason: expect.stringContaining("SIGSEGV"),
        error: expect.stringMatching(/^This file made the program crash twice that was to encode chunk 3.* saved anew/),
      });
    }
    expect(after("encode_chunk", 3, 1, { message: "It ran out of memory.", crashed: false })).toMatchObject({
      retry: true,
    });
    // What it reads, we have made.
    expect(after("verify", 2, 2)).toMatchObject({ retry: true });
  });
});

describe("timeLimitSeconds", () => {
  it("grows with the work and stays below a day", () => {
    expect(timeLimitSeconds("probe", 1e9)).toBe(600);
    expect(timeLimitSeconds("encode_chunk", 52.2)).toBe(6732);
    expect(timeLimitSeconds("audio", 3600)).toBe(5400);
    expect(timeLimitSeconds("encode", 1e9)).toBe(23 * 3600);
  });
});
