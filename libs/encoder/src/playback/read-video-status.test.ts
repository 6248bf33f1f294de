import { describe, expect, it } from "vitest";
import type { TaskGroup } from "../domain/progress.ts";
import { taskGroup } from "../testing/task-group.ts";
import { stateOf } from "./read-video-status.ts";

const group = (state: TaskGroup["state"], tasks = 1, doneWeight = 0) =>
  taskGroup({ state, tasks, weight: 10, doneWeight });
const encode = (state: "queued" | "planning" | "encoding" | "verifying" | "failed" | "cancelled") => ({
  state,
  durationSeconds: 10,
});

describe("the status of a video", () => {
  it("is ready as soon as there is a whole stream, whatever another encode does", () => {
    expect(stateOf(encode("failed"), { final: true }, []).state).toBe("ready");
  });

  it.each([
    ["uploading", undefined, []],
    ["waiting", encode("queued"), [group("waiting")]],
    ["waiting", encode("planning"), []],
    ["waiting", encode("encoding"), [group("done"), group("waiting")]],
    ["encoding", encode("encoding"), [group("leased"), group("waiting")]],
    ["encoding", encode("verifying"), [group("done")]],
    ["cancelled", encode("cancelled"), []],
    ["failed", encode("failed"), []],
  ] as const)("is %s", (state, record, groups) => {
    expect(stateOf(record, undefined, groups)).toMatchObject({ state });
  });

  it("tells how much is done", () => {
    const { fraction } = stateOf(encode("encoding"), { final: false }, [group("leased", 1, 5)]);
    expect(fraction).toBeGreaterThan(0.3);
    expect(fraction).toBeLessThan(0.6);
  });
});
