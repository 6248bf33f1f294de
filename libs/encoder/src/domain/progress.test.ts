import { describe, expect, it } from "vitest";
import { encodeStates } from "./encode-state.ts";
import { progressOf } from "./progress.ts";

const half = { fraction: 0.5, frames: 100, speed: 2 };

describe("progressOf", () => {
  it("lets probing count for next to nothing and encoding for the rest", () => {
    expect(progressOf("queued", undefined, 0)).toEqual({ fraction: 0, frames: 0, speed: 0 });
    expect(progressOf("probing", { ...half, speed: 0 }, 0).fraction).toBeCloseTo(0.005);
    expect(progressOf("planned", half, 60)).toEqual({ fraction: 0.01, frames: 0, speed: 0 });
    expect(progressOf("encoding", half, 60).fraction).toBeCloseTo(0.505);
    expect(progressOf("succeeded", { fraction: 1, frames: 200, speed: 2 }, 60)).toEqual({
      fraction: 1,
      frames: 200,
      speed: 2,
      remainingSeconds: 0,
    });
  });

  it("tells the time left from the speed, once it is known", () => {
    expect(progressOf("encoding", half, 60).remainingSeconds).toBe(15);
    expect(progressOf("encoding", { ...half, speed: 0 }, 60)).not.toHaveProperty("remainingSeconds");
    expect(progressOf("encoding", undefined, 60)).toEqual({ fraction: 0.01, frames: 0, speed: 0 });
  });

  it("never leaves 0 to 1", () => {
    for (const state of encodeStates) {
      for (const fraction of [-1, 0, 0.3, 1, 7]) {
        const progress = progressOf(state, { ...half, fraction }, 60);
        expect(progress.fraction).toBeGreaterThanOrEqual(0);
        expect(progress.fraction).toBeLessThanOrEqual(1);
        expect(progress.remainingSeconds ?? 0).toBeGreaterThanOrEqual(0);
      }
    }
  });
});
