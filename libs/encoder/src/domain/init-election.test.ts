import fc from "fast-check";
import { expect, it } from "vitest";
import { type Dissent, electInits, type Inits, joinInits } from "./init-election.ts";

const good: Inits = { "720p": "aa", "360p": "bb" };
const odd: Inits = { "720p": "aa", "360p": "cc" };

it("takes what nobody has brought yet, and what is on record", () => {
  expect(joinInits({}, good)).toEqual(good);
  expect(joinInits(good, { ...good })).toBe(good);
  expect(joinInits({ "720p": "aa" }, good)).toEqual(good);
  expect(joinInits(good, { "720p": "aa" })).toBe(good);
  expect(joinInits(good, odd)).toBeUndefined();
  // A rung may have any name.
  expect(joinInits({}, { constructor: "aa" })).toEqual({ constructor: "aa" });
});

it("refuses what one worker says against one, and names the track", () => {
  const verdict = electInits({ inits: good, supporters: 1, dissents: [] }, "b", odd);
  const dissents = [{ inits: odd, workers: ["b"] }];
  expect(verdict).toEqual({ outcome: "refused", track: "360p", inits: good, dissents });
});

it("gives in to two workers who agree against one, and not to one who comes twice", () => {
  const dissents = [{ inits: good, workers: ["b"] }];
  expect(electInits({ inits: odd, supporters: 1, dissents }, "b", good).outcome).toBe("refused");
  expect(electInits({ inits: odd, supporters: 1, dissents }, "c", good)).toEqual({
    outcome: "elected",
    inits: good,
    dissents: [],
  });
});

it("takes any where no chunk is left that has the one on record", () => {
  expect(electInits({ inits: odd, supporters: 0, dissents: [] }, "b", good).outcome).toBe("elected");
});

it("ends with what most workers make, in whatever order they come, if those are twice the others", () => {
  const arrivals = fc.integer({ min: 1, max: 4 }).chain((few) =>
    fc.record({
      few: fc.constant(few),
      // Everybody comes again and again, as refused chunks are made anew.
      order: fc.shuffledSubarray(
        Array.from({ length: 3 * few + 1 }, (_, index) => index),
        { minLength: 3 * few + 1 },
      ),
    }),
  );
  fc.assert(
    fc.property(arrivals, ({ few, order }) => {
      let inits: Inits = {};
      let dissents: readonly Dissent[] = [];
      let supporters = new Set<number>();
      for (const worker of [...order, ...order]) {
        const brought = worker < few ? odd : good;
        const joined = joinInits(inits, brought);
        if (joined === undefined) {
          const verdict = electInits({ inits, supporters: supporters.size, dissents }, `${worker}`, brought);
          ({ inits, dissents } = verdict);
          if (verdict.outcome === "refused") continue;
          supporters = new Set();
        } else inits = joined;
        supporters.add(worker);
      }
      expect(inits).toEqual(good);
    }),
  );
});
