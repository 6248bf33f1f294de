import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { createMemoryBudget, type MemoryPlace } from "./memory-budget.ts";

const signal = new AbortController().signal;

/** A task that has begun, with the function that is called when it has to make room. */
async function begun(budget: ReturnType<typeof createMemoryBudget>) {
  const place = await budget.take(signal);
  if (place === undefined) throw new Error("No place.");
  const makeRoom = vi.fn();
  place.begin(makeRoom);
  return { place, makeRoom };
}

/** Whether a promise has settled once everything that is due was done. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

it("lets all begin at once while nobody knows what a task needs", async () => {
  const budget = createMemoryBudget(100);
  for (let task = 0; task < 8; task += 1) await begun(budget);
});

it("has those that began last make room, and never the first", async () => {
  const budget = createMemoryBudget(100);
  const [first, second, third] = [await begun(budget), await begun(budget), await begun(budget)];
  for (const { place } of [first, second, third]) place.uses(30);
  expect(third.makeRoom).not.toHaveBeenCalled();
  first.place.uses(45);
  expect(third.makeRoom).toHaveBeenCalledOnce();
  expect(second.makeRoom).not.toHaveBeenCalled();
  // It is about to go.
  third.place.uses(35);
  expect(second.makeRoom).not.toHaveBeenCalled();
  second.place.uses(60);
  expect(second.makeRoom).toHaveBeenCalledOnce();
  first.place.uses(120);
  expect(first.makeRoom).not.toHaveBeenCalled();
  expect(third.makeRoom).toHaveBeenCalledOnce();
});

it("counts by when tasks began, and not by when their slots asked", async () => {
  const budget = createMemoryBudget(100);
  const idle = await budget.take(signal);
  const first = await begun(budget);
  const makeRoom = vi.fn();
  idle?.begin(makeRoom);
  first.place.uses(60);
  idle?.uses(60);
  expect(makeRoom).toHaveBeenCalledOnce();
  expect(first.makeRoom).not.toHaveBeenCalled();
});

it("begins no more than there is room for what the last ones needed", async () => {
  const budget = createMemoryBudget(100);
  const first = await begun(budget);
  first.place.uses(40);
  first.place.close();
  await begun(budget);
  const second = await begun(budget);
  const third = budget.take(signal);
  expect(await hasSettled(third)).toBe(false);
  second.place.uses(20);
  second.place.close();
  expect(await hasSettled(third)).toBe(true);
});

it("forgets one that was large after four others", async () => {
  const budget = createMemoryBudget(100);
  for (const bytes of [90, 10, 10, 10, 10]) {
    const { place } = await begun(budget);
    place.uses(bytes);
    place.close();
  }
  for (let task = 0; task < 10; task += 1) await begun(budget);
  expect(await hasSettled(budget.take(signal))).toBe(false);
});

it("lets a task begin that needs more than there is, alone", async () => {
  const budget = createMemoryBudget(100);
  const { place } = await begun(budget);
  place.uses(150);
  place.close();
  await begun(budget);
});

it("leaves those beside alone, and counts them", async () => {
  const budget = createMemoryBudget(100);
  const beside = budget.beside();
  const never = vi.fn();
  beside.begin(never);
  const [first, second] = [await begun(budget), await begun(budget)];
  beside.uses(50);
  first.place.uses(30);
  second.place.uses(30);
  expect(second.makeRoom).toHaveBeenCalledOnce();
  expect(never).not.toHaveBeenCalled();
});

it("stops waiting when the signal aborts", async () => {
  const budget = createMemoryBudget(100);
  const { place } = await begun(budget);
  place.uses(90);
  place.close();
  await begun(budget);
  const stop = new AbortController();
  const waiting = budget.take(stop.signal);
  expect(await hasSettled(waiting)).toBe(false);
  stop.abort();
  expect(await waiting).toBeUndefined();
  expect(await budget.take(stop.signal)).toBeUndefined();
});

it("keeps within its bytes as soon as those have gone that were told to, whatever tasks need, and never stands still", async () => {
  const needs = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 40 });
  type Running = { place: MemoryPlace; need: number; has: number; told: boolean };
  await fc.assert(
    fc.asyncProperty(needs, fc.integer({ min: 1, max: 8 }), async (tasks, slots) => {
      const budget = createMemoryBudget(100);
      const left = [...tasks];
      let running: Running[] = [];
      let asked: Promise<MemoryPlace | undefined> | undefined;
      for (let step = 0; left.length + running.length > 0; step += 1) {
        if (step > 10_000) throw new Error("It stands still.");
        if (running.length < slots && left.length > 0) asked ??= budget.take(signal);
        if (asked !== undefined && (await hasSettled(asked))) {
          const place = await asked;
          asked = undefined;
          if (place === undefined) throw new Error("No place.");
          const one: Running = { place, need: left.shift() ?? 0, has: 0, told: false };
          place.begin(() => {
            one.told = true;
          });
          running.push(one);
        }
        for (const one of running) {
          one.has = Math.min(one.need, one.has + 7);
          one.place.uses(one.has);
        }
        for (const one of running.filter(({ told, has, need }) => told || has === need)) {
          if (one.told) left.push(one.need);
          one.place.close();
        }
        running = running.filter(({ told, has, need }) => !told && has < need);
        expect(running.reduce((total, { has }) => total + has, 0)).toBeLessThanOrEqual(100);
      }
    }),
    { numRuns: 50 },
  );
});
