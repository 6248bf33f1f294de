import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { taskGroup } from "../testing/task-group.ts";
import { encodeStates } from "./encode-state.ts";
import { progressOf, type TaskGroup, type TrackTotals, trackProgressOf } from "./progress.ts";
import { taskKinds } from "./task-kind.ts";

const group = (changes: Partial<TaskGroup>) => taskGroup({ state: "leased", ...changes });

describe("progressOf", () => {
  it("lets probing count for next to nothing", () => {
    expect(progressOf("queued", [], 0)).toEqual({ fraction: 0, frames: 0, speed: 0 });
    const probing = group({ kind: "probe", queue: "media.light", weight: 1, doneWeight: 0.5 });
    expect(progressOf("probing", [probing], 0).fraction).toBeCloseTo(0.005);
    expect(progressOf("planned", [], 60)).toEqual({ fraction: 0.01, frames: 0, speed: 0 });
  });

  it("counts what is done and under way against all that is to come, though it isn't all planned yet", () => {
    const groups = [
      group({ state: "done", tasks: 3, weight: 24, doneWeight: 24, frames: 600 }),
      group({ tasks: 2, weight: 16, doneWeight: 6, frames: 150, speed: 3, timed: 2 }),
      group({ kind: "audio", queue: "media.light", weight: 1.2, doneWeight: 1.2 }),
    ];
    const progress = progressOf("encoding", groups, 60);
    expect(progress).toMatchObject({ frames: 750, speed: 3 });
    expect(progress.fraction).toBeCloseTo(0.01 + (0.99 * 31.2) / (60 * 1.09), 2);
    expect(progress.remainingSeconds).toBeCloseTo((60 - 60 * (31.2 / (60 * 1.09))) / 3, 1);
    expect(progressOf("succeeded", groups, 60)).toMatchObject({ fraction: 1, frames: 750, remainingSeconds: 0 });
  });

  it("takes the usual speed for what has just begun", () => {
    const done = group({ state: "done", tasks: 3, weight: 24, doneWeight: 24, speed: 4, timed: 2 });
    const begun = group({ tasks: 2, weight: 16, doneWeight: 2, speed: 1.5, timed: 1 });
    expect(progressOf("encoding", [done, begun], 60).speed).toBe(3.5);
    expect(progressOf("encoding", [begun], 60).speed).toBe(1.5);
    expect(progressOf("encoding", [done], 60).speed).toBe(0);
  });

  it("doesn't count the speed of a chunk that drains while its worker has begun the next", () => {
    const done = group({ state: "done", tasks: 3, weight: 24, doneWeight: 24, speed: 9, timed: 3 });
    // Two are leased: one that drains, and one that has just begun, or tells its own speed already.
    expect(progressOf("encoding", [done, group({ tasks: 2, draining: 1 })], 60).speed).toBe(3);
    expect(progressOf("encoding", [done, group({ tasks: 2, draining: 1, speed: 2.5, timed: 1 })], 60).speed).toBe(2.5);
  });

  it("counts a frame once that two encoder families encode", () => {
    const groups = ["encode.cpu", "encode.nvenc"].map((queue) =>
      group({ queue, state: "done", weight: 60, doneWeight: 60, frames: 1500 }),
    );
    expect(progressOf("encoding", groups, 60)).toMatchObject({ frames: 1500 });
    expect(progressOf("encoding", groups, 60).fraction).toBeLessThan(1);
  });

  it("follows the whole encode of an earlier release", () => {
    const whole = group({ kind: "encode", weight: 60, doneWeight: 30, frames: 700, speed: 2 });
    const progress = progressOf("encoding", [whole], 60);
    expect(progress.fraction).toBeCloseTo(0.505, 2);
    expect(progress.remainingSeconds).toBeCloseTo(15);
  });

  it("never leaves 0 to 1", () => {
    const anyGroup = fc.record({
      kind: fc.constantFrom(...taskKinds),
      state: fc.constantFrom("waiting" as const, "leased" as const, "done" as const),
      tasks: fc.integer({ min: 10, max: 1000 }),
      timed: fc.nat(10),
      weight: fc.nat(10_000),
      doneWeight: fc.integer({ min: -10, max: 20_000 }),
      frames: fc.nat(1_000_000),
      speed: fc.double({ min: 0, max: 1000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...encodeStates), fc.array(anyGroup), fc.nat(90_000), (state, groups, seconds) => {
        const progress = progressOf(state, groups.map(group), seconds);
        expect(progress.fraction).toBeGreaterThanOrEqual(0);
        expect(progress.fraction).toBeLessThanOrEqual(1);
        expect(progress.remainingSeconds ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("trackProgressOf", () => {
  const track = (changes: Partial<TrackTotals>): TrackTotals => ({
    name: "720p",
    kind: "encode_chunk",
    weight: 0,
    doneWeight: 0,
    bytes: 0,
    measured: 0,
    xpsnr: 0,
    working: 0,
    timed: 0,
    speed: 0,
    usualSpeed: 0,
    ...changes,
  });

  it("tells share, speed and time left", () => {
    const progress = trackProgressOf(track({ weight: 60, doneWeight: 15, working: 2, timed: 2, speed: 3 }), 60, true);
    expect(progress).toEqual({ fraction: 0.25, speed: 3, remainingSeconds: 15 });
  });

  it("doesn't take the chunks of the head for the whole, nor sound's weight for a length", () => {
    const head = track({ weight: 12, doneWeight: 12 });
    expect(trackProgressOf(head, 60, false)).toEqual({ fraction: 0.2, speed: 0 });
    // Its sound may be longer.
    expect(trackProgressOf(head, 12.1, true)).toEqual({ fraction: 1, speed: 0 });
    const sound = track({ kind: "audio", weight: 1.2, doneWeight: 0.6, working: 1, timed: 1, speed: 30 });
    expect(trackProgressOf(sound, 60, false)).toEqual({ fraction: 0.5, speed: 30, remainingSeconds: 1 });
  });

  it("takes the usual speed for what has just begun", () => {
    expect(trackProgressOf(track({ working: 2, timed: 1, speed: 2, usualSpeed: 3 }), 60, true).speed).toBe(5);
  });

  it("has no time left where nobody works, or no length is known", () => {
    expect(trackProgressOf(track({ weight: 60, usualSpeed: 3 }), 60, true)).toEqual({ fraction: 0, speed: 0 });
    expect(trackProgressOf(track({ working: 1, timed: 1, speed: 1 }), 0, false)).toEqual({ fraction: 0, speed: 1 });
  });
});
