import fc from "fast-check";
import { expect, it } from "vitest";
import { createSlot } from "./slot.ts";

it("begins the next piece as one drains, and never has more than two in hand", async () => {
  const piece = fc.record({ drains: fc.boolean(), ticksBefore: fc.nat(5), ticksAfter: fc.nat(20) });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const slot = createSlot();
      let busy = 0;
      let draining = 0;
      let ended = 0;
      for (const { drains, ticksBefore, ticksAfter } of pieces) {
        await slot.begin(async (says) => {
          busy++;
          expect(busy).toBe(1);
          expect(draining).toBeLessThanOrEqual(1);
          for (let tick = 0; tick < ticksBefore; tick++) await null;
          busy--;
          draining++;
          if (drains) says();
          for (let tick = 0; tick < ticksAfter; tick++) await null;
          draining--;
          ended++;
        });
      }
      await slot.idle();
      expect(ended).toBe(pieces.length);
    }),
  );
});

it("begins the next piece before a draining one has ended", async () => {
  const slot = createSlot();
  const end = Promise.withResolvers<void>();
  await slot.begin((draining) => {
    draining();
    return end.promise;
  });
  let begun = false;
  const next = slot.begin(async () => {
    begun = true;
  });
  expect(begun).toBe(true);
  end.resolve();
  await next;
  await slot.idle();
});

it("tells of work that fails, before and after it drains", async () => {
  const slot = createSlot();
  const fails = () => Promise.reject(new Error("no"));
  await expect(slot.begin(fails)).rejects.toThrow("no");
  await slot.begin(async () => {});
  await slot.begin(async (draining) => {
    draining();
    await null;
    throw new Error("later");
  });
  await expect(slot.idle()).rejects.toThrow("later");
});
