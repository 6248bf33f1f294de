import fc from "fast-check";
import { expect, test } from "vitest";
import { OpenStreams } from "./open-streams.ts";

test("finds what a Map would find, whatever comes and goes", () => {
  // Few numbers, so that many share a place; each is there, or not, again and again.
  const number = fc.oneof(fc.nat(12), fc.constantFrom(16, 32, 64, 128, 1 << 20, 2 ** 30 - 1)).map((n) => 2 * n + 1);
  fc.assert(
    fc.property(fc.array(number, { maxLength: 300 }), (numbers) => {
      const streams = new OpenStreams<{ id: number }>();
      const map = new Map<number, { id: number }>();
      for (const id of numbers) {
        if (map.has(id)) {
          map.delete(id);
          streams.delete(id);
        } else {
          const stream = { id };
          map.set(id, stream);
          streams.add(stream);
        }
        expect(streams.size).toBe(map.size);
        for (const each of numbers) {
          expect(streams.get(each)).toBe(map.get(each));
        }
      }
      expect(new Set(streams.all())).toEqual(new Set(map.values()));
    }),
  );
});

test("forgets nothing else when it forgets what isn't there", () => {
  const streams = new OpenStreams<{ id: number }>();
  streams.add({ id: 1 });
  streams.delete(17);
  expect(streams.all()).toEqual([{ id: 1 }]);
});
