import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createTurns } from "./turns.ts";

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    // Computes.
  }
}

it("starts nothing before the code that asked has ended", async () => {
  const turns = createTurns();
  const started: number[] = [];
  for (const call of [1, 2, 3]) {
    turns.defer((number) => started.push(number), call);
  }
  expect(started).toEqual([]);
  await nextTurn();
  await nextTurn();
  expect(started).toEqual([1, 2, 3]);
});

it("lets the event loop go on between actions that take long, promises of theirs included", async () => {
  const turns = createTurns(1);
  const seen: string[] = [];
  const compute = async (name: string) => {
    await null;
    busy(3);
    seen.push(name);
  };
  turns.defer(compute, "a");
  turns.defer(compute, "b");
  turns.defer(compute, "c");
  const end = Promise.withResolvers<void>();
  const look = () => {
    seen.push("loop");
    if (seen.includes("c")) {
      end.resolve();
    } else {
      setImmediate(look);
    }
  };
  setImmediate(look);
  await end.promise;
  expect(seen.filter((entry) => entry !== "loop")).toEqual(["a", "b", "c"]);
  expect(seen.slice(seen.indexOf("a"), seen.indexOf("b"))).toContain("loop");
  expect(seen.slice(seen.indexOf("b"), seen.indexOf("c"))).toContain("loop");
});

it("runs short ones together", async () => {
  const turns = createTurns(1_000);
  const seen: string[] = [];
  for (const name of ["a", "b", "c"]) {
    turns.defer((entry: string) => seen.push(entry), name);
  }
  setImmediate(() => seen.push("loop"));
  await nextTurn();
  await nextTurn();
  expect(seen).toEqual(["a", "b", "c", "loop"]);
});
