import { expect, it } from "vitest";
import { backlogOf } from "./backlog.ts";

it("sums up each queue and all of them", () => {
  const counts = [
    { queue: "encode.cpu", state: "waiting", tasks: 40 },
    { queue: "encode.cpu", state: "leased", tasks: 2 },
    { queue: "encode.nvenc", state: "leased", tasks: 1 },
  ] as const;
  expect(backlogOf(counts)).toEqual({
    waiting: 40,
    leased: 3,
    tasks: 43,
    queues: {
      "encode.cpu": { waiting: 40, leased: 2, tasks: 42 },
      "encode.nvenc": { waiting: 0, leased: 1, tasks: 1 },
    },
  });
});

it("of nothing is nothing", () => {
  expect(backlogOf([])).toEqual({ waiting: 0, leased: 0, tasks: 0, queues: {} });
});
