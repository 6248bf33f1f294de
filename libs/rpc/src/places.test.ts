import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Placed, Places, place } from "./places.ts";

describe("places", () => {
  it("hold what was added and not deleted, in any order of events", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 })), (toggles) => {
        const members: Placed[] = Array.from({ length: 10 }, () => ({}));
        const places = new Places<Placed>();
        const model = new Set<Placed>();
        for (const toggle of toggles) {
          const member = members[toggle] ?? {};
          if (model.delete(member)) {
            places.delete(member);
          } else {
            model.add(member);
            places.add(member);
          }
          expect(new Set(places)).toEqual(model);
          expect(places.size).toBe(model.size);
          expect(new Set([...model].map((each) => each[place])).size).toBe(model.size);
        }
      }),
    );
  });

  it("let a member go once, and while they are walked", () => {
    const places = new Places<Placed>();
    const a: Placed = {};
    const b: Placed = {};
    places.add(a);
    places.add(b);
    for (const member of places) {
      places.delete(member);
      places.delete(member);
    }
    expect(places.size).toBe(0);
    expect([a[place], b[place]]).toEqual([undefined, undefined]);
  });
});
