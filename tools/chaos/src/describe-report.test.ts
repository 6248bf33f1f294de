import { expect, it } from "vitest";
import { describeReport } from "./describe-report.ts";
import { type ChaosReport, isGood } from "./run-chaos.ts";

const good: ChaosReport = {
  minutes: 1,
  workers: 2,
  jobs: 5,
  lost: [],
  kills: [
    { at: 4, victim: "worker-1", backAfter: 0.5 },
    { at: 9, victim: "postgres", backAfter: 4.25 },
    { at: 20, victim: "encoder", backAfter: 3 },
  ],
  work: { begun: 50, again: 1, completed: 49, cutOff: 1, redone: [] },
};

it("tells what happened, and that it is good", () => {
  const text = describeReport(good);
  expect(text).toContain("jobs done and verified        5 of 5");
  expect(text).toContain("kill -9 of a postgres         1, back after 4.3 s at most");
  expect(text.endsWith("nothing done again but what was killed.")).toBe(true);
});

it.each<[string, Partial<ChaosReport>]>([
  ["a job was lost", { lost: [{ id: "e1", state: "failed", verified: false, error: "It broke." }] }],
  ["there was no job", { jobs: 0 }],
  ["Postgres was never killed", { kills: good.kills.filter(({ victim }) => victim !== "postgres") }],
  [
    "work was done twice",
    { work: { ...good.work, redone: [{ taskId: "t1", work: "audio", ends: ["lost", "completed"] }] } },
  ],
])("isn't good where %s", (_, change) => {
  const report = { ...good, ...change };
  expect(isGood(report)).toBe(false);
  expect(describeReport(report).endsWith("FALLS SHORT")).toBe(true);
});
