import { expect, it } from "vitest";
import { readWorkLogs } from "./work-log.ts";

const line = (value: object) => `${JSON.stringify(value)}\n`;
const started = (taskId: string, attempt: number) => line({ msg: "task started", taskId, attempt, work: "audio" });
const ended = (taskId: string, attempt: number, outcome = "completed") =>
  line({ msg: "task ended", taskId, attempt, outcome });

it("counts what was begun, begun again, completed and cut off", () => {
  const killed = [started("a", 1), ended("a", 1), started("b", 1), started("c", 1), '{"msg":"task en'].join("");
  const other = [started("b", 2), ended("b", 2), started("c", 2), ended("c", 2), "Some other line\n"].join("");
  const log = readWorkLogs([{ text: killed }, { text: other }]);
  expect(log).toEqual({ begun: 5, again: 2, completed: 3, cutOff: 2, redone: [] });
});

it("tells what was done again although nobody was killed", () => {
  const text = started("a", 1) + ended("a", 1, "lost") + started("a", 2) + ended("a", 2);
  const redone = [{ taskId: "a", work: "audio", ends: ["lost", "completed"] }];
  expect(readWorkLogs([{ text }])).toEqual({ begun: 2, again: 1, completed: 1, cutOff: 0, redone });
});

it("doesn't take a lease for work that no worker ever heard of", () => {
  const text = started("a", 2) + ended("a", 2);
  expect(readWorkLogs([{ text }])).toMatchObject({ begun: 1, again: 0, redone: [] });
});
