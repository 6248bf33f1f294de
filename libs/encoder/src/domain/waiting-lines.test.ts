import { describe, expect, it } from "vitest";
import { taskGroup as group } from "../testing/task-group.ts";
import { type Fleet, waitingLines } from "./waiting-lines.ts";

describe("waitingLines", () => {
  it("say what waits for what", () => {
    const groups = [
      group({ tasks: 12 }),
      group({ kind: "audio", queue: "media.light" }),
      group({ state: "leased", tasks: 3 }),
    ];
    expect(waitingLines("encoding", groups)).toEqual([
      "12 chunks wait for a worker with encode.cpu",
      "1 sound track waits for a worker with media.light",
    ]);
    expect(waitingLines("planning", [])).toEqual(["The plan waits for its quota."]);
  });

  const line = (fleet: Partial<Fleet>, queue = "encode.nvenc") =>
    waitingLines("encoding", [group({ tasks: 3, queue })], {
      live: ["cpu"],
      goneSeconds: new Map(),
      patienceSeconds: 600,
      ...fleet,
    }).join("\n");

  it.each<[string, Partial<Fleet>, string]>([
    ["nothing, where there is one", { live: ["cpu", "nvenc"] }, ""],
    ["to start one, where there is none at all", { live: [] }, ", but there is no worker at all: start one"],
    [
      "when it goes over to the CPU",
      { goneSeconds: new Map([["nvenc", 130]]) },
      ", but none is there: start one within 8 minutes, or it begins anew on the CPU",
    ],
    [
      "that it goes over soon",
      { goneSeconds: new Map([["nvenc", 1000]]) },
      ", but none is there: start one within a minute, or it begins anew on the CPU",
    ],
    [
      "that it goes over soon, also long after the last such worker was there",
      {},
      ", but none is there: start one within a minute, or it begins anew on the CPU",
    ],
    [
      "that a CPU would do",
      { live: ["qsv"] },
      ", but none is there: start one, or one with a CPU (the workers that are there have qsv)",
    ],
    [
      "what to do where it waits for ever",
      { patienceSeconds: 0 },
      ", but none is there: start one, or cancel the encode and start it anew (the workers that are there have cpu)",
    ],
  ])("say %s", (_what, fleet, end) => {
    expect(line(fleet)).toBe(`3 chunks wait for a worker with encode.nvenc${end}`);
  });

  it("don't promise a CPU to what waits for one", () => {
    expect(line({ live: ["nvenc"] }, "encode.cpu")).toContain("start one, or cancel the encode");
    expect(line({}, "media.light")).toBe("3 chunks wait for a worker with media.light");
  });
});
