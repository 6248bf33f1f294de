import { expect, it } from "vitest";
import { readWorkLogs } from "./work-log.ts";

const line = (value: object) => `${JSON.stringify(value)}\n`;
const started = (taskId: string, attempt: number) => line({ msg: "task started", taskId, attempt });
const ended = (taskId: string, attempt: number, outcome = "completed") =>
  line({ msg: "task ended", taskId, attempt, outcome });

it("counts what was begun, begun again, completed and cut off", () => {
  const killed = [started("a", 1), ended("a", 1), started("b", 1), started("c", 1), '{"msg":"task en'].join("");
  const other = [started("b", 2), ended("b", 2), started("c", 2), ended("c", 2), "Some other line\n"].join("");
  expect(readWorkLogs([{ text: killed }, { text: other }])).toEqual({ begun: 5, again: 2, completed: 3, cutOff: 2 });
});

it("counts a task that ended otherwise as neither completed nor cut off", () => {
  const text = started("a", 1) + ended("a", 1, "lost");
  expect(readWorkLogs([{ text }])).toEqual({ begun: 1, again: 0, completed: 0, cutOff: 0 });
});
