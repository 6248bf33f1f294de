import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createSettleTurns } from "./settle-turns.ts";

const never = new AbortController().signal;

it("never has two of one encode, nor more than its limit, and does them all in the order of each encode", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 30 }), async (encodes) => {
      const turns = createSettleTurns(2);
      const underWay: string[] = [];
      const done: number[] = [];
      await Promise.all(
        encodes.map((encode, index) =>
          turns.take(encode, never, async () => {
            underWay.push(encode);
            expect(underWay.length).toBeLessThanOrEqual(2);
            expect(new Set(underWay).size).toBe(underWay.length);
            await sleep(0);
            underWay.splice(underWay.indexOf(encode), 1);
            done.push(index);
          }),
        ),
      );
      expect(done.length).toBe(encodes.length);
      for (const encode of new Set(encodes)) {
        const own = done.filter((index) => encodes[index] === encode);
        expect(own).toEqual(own.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 30 },
  );
});

it("goes on after work that throws, and doesn't keep a place for who has left", async () => {
  const turns = createSettleTurns(1);
  const gate = Promise.withResolvers<void>();
  const first = turns.take("a", never, () => gate.promise);
  const left = new AbortController();
  const second = turns.take("b", left.signal, async () => "never");
  const third = turns.take("a", never, async () => "done");
  left.abort(new Error("gone"));
  await expect(second).rejects.toThrow("gone");
  gate.reject(new Error("broken"));
  await expect(first).rejects.toThrow("broken");
  expect(await third).toBe("done");
});
