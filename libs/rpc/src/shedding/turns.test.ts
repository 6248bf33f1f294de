import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createTurns } from "./turns.ts";

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    // Computes.
  }
}

it("lets nobody go on before the reads of this turn are done", async () => {
  const turns = createTurns();
  const started: number[] = [];
  for (const call of [1, 2, 3]) {
    turns.defer((number) => started.push(number), call);
  }
  await null;
  process.nextTick(() => expect(started).toEqual([]));
  await nextTurn();
  await nextTurn();
  expect(started).toEqual([1, 2, 3]);
});

it("lets the event loop go on between those that take long, whatever they wait for first", async () => {
  const turns = createTurns(1);
  const seen: string[] = [];
  const end = Promise.withResolvers<void>();
  const compute = async (name: string) => {
    await null;
    busy(3);
    seen.push(name);
  };
  const look = () => {
    seen.push("loop");
    if (seen.includes("c")) {
      end.resolve();
    } else {
      setImmediate(look);
    }
  };
  for (const name of ["a", "b", "c"]) {
    turns.defer(compute, name);
  }
  setImmediate(look);
  await end.promise;
  expect(seen.filter((entry) => entry !== "loop")).toEqual(["a", "b", "c"]);
  expect(seen.slice(seen.indexOf("a"), seen.indexOf("b"))).toContain("loop");
  expect(seen.slice(seen.indexOf("b"), seen.indexOf("c"))).toContain("loop");
});

it("lets those that don't take long go on together", async () => {
  const turns = createTurns(1_000);
  const seen: string[] = [];
  for (const name of ["a", "b", "c"]) {
    turns.defer((entry) => seen.push(entry), name);
  }
  setImmediate(() => seen.push("loop"));
  await nextTurn();
  await nextTurn();
  expect(seen).toEqual(["a", "b", "c", "loop"]);
});
