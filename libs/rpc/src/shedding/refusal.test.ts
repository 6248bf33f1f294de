import { Code } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { recordingLogger } from "../testing/recording-logger.ts";
import { createRefusals, pushbackHeader } from "./refusal.ts";
import { createShedding, noSlot } from "./shedding.ts";

it("is made once, says what to do and when, and doesn't send all callers back at the same moment", () => {
  let turn = 0;
  const refusal = createRefusals(() => (turn++ % 100) / 100);
  const refusals = Array.from({ length: 200 }, refusal);
  expect(new Set(refusals).size).toBe(16);
  for (const error of refusals) {
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toContain("try again");
    const pushback = Number(error.metadata.get(pushbackHeader));
    expect(pushback).toBeGreaterThanOrEqual(200);
    expect(pushback).toBeLessThan(1_000);
    expect(error.metadata.get("retry-after")).toMatch(/^[12]$/);
  }
  expect(new Set(refusals.map((error) => error.metadata.get(pushbackHeader))).size).toBe(16);
});

it("counts refusals, and warns once for many", async () => {
  const logger = recordingLogger();
  const shedding = createShedding(logger, { maxLimit: 1 });
  const stop = shedding.watch();
  expect(shedding.take(performance.now())).not.toBe(noSlot);
  for (let call = 0; call < 1_000; call++) {
    expect(shedding.take(performance.now())).toBe(noSlot);
    shedding.refusal();
  }
  while (logger.lines.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  stop();
  expect(shedding.refused).toBe(1_000);
  expect(logger.lines).toEqual([
    {
      level: "warn",
      fields: { refused: 1_000, limit: 1, inFlight: 1 },
      message: "more calls than can be answered in time",
    },
  ]);
});
