import { expect, it } from "vitest";
import { createLane } from "./lane.ts";

const deferred = () => Promise.withResolvers<void>();

it("does the work in order, one piece at a time", async () => {
  const lane = createLane(10);
  const log: string[] = [];
  for (const name of ["a", "b", "c"]) {
    await lane.add(async () => {
      log.push(`${name}<`);
      await Promise.resolve();
      log.push(`${name}>`);
    });
  }
  await lane.finish();
  expect(log).toEqual(["a<", "a>", "b<", "b>", "c<", "c>"]);
});

it("makes the adder wait when the lane is full", async () => {
  const lane = createLane(2);
  const gate = deferred();
  await lane.add(() => gate.promise);
  let isAdded = false;
  const adding = lane
    .add(async () => {})
    .then(() => {
      isAdded = true;
    });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isAdded).toBe(false);
  gate.resolve();
  await adding;
  await lane.finish();
});

it("stops at the first failure and tells it", async () => {
  const lane = createLane(10);
  let later = 0;
  await lane.add(async () => {
    throw new Error("broken");
  });
  await lane.add(async () => void later++).catch(() => {});
  await expect(lane.finish()).rejects.toThrow("broken");
  await expect(lane.add(async () => void later++)).rejects.toThrow("broken");
  expect(later).toBe(0);
});
