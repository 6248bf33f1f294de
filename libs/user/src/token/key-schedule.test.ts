import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type KeyTimes, missingKey, publishMs, signingKeyOf, signingMs } from "./key-schedule.ts";

const start = new Date("2026-03-01T00:00:00Z");
const after = (ms: number) => new Date(start.getTime() + ms);

/** What a service does whenever it looks at its keys. */
function tend(keys: KeyTimes[], now: Date): KeyTimes[] {
  const kept = keys.filter(({ retireTime }) => retireTime > now);
  for (let made = missingKey(kept, now); made !== undefined; made = missingKey(kept, now)) kept.push(made);
  return kept;
}

describe("the schedule of signing keys", () => {
  it("starts with a key that signs and one that comes next", () => {
    const keys = tend([], start);
    expect(keys.length).toBe(2);
    expect(signingKeyOf(keys, start)).toBe(keys[0]);
    expect(keys[1]?.activateTime).toEqual(after(signingMs));
  });

  it("gives a key that is inherited an hour yet, and no more where it is old", () => {
    const inherited = {
      createTime: after(-signingMs * 3),
      activateTime: after(-signingMs * 3),
      retireTime: after(1e12),
    };
    const keys = tend([inherited], start);
    expect(signingKeyOf(keys, start)).toBe(inherited);
    expect(keys[1]?.activateTime).toEqual(after(publishMs));
  });

  it("never signs with a key that hasn't been public for an hour, nor with one that a token outlives, whenever it is looked at", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 * 86_400_000 }), { minLength: 5, maxLength: 60 }), (gaps) => {
        let now = start;
        let keys = tend([], now);
        const first = keys[0];
        for (const gap of gaps) {
          now = new Date(now.getTime() + gap);
          keys = tend(keys, now);
          expect(keys.length).toBeLessThanOrEqual(3);
          expect(keys.filter(({ activateTime }) => activateTime > now).length).toBe(1);
          const current = signingKeyOf(keys, now);
          if (current === undefined) throw new Error("nothing to sign with");
          if (current !== first) expect(now.getTime() - current.createTime.getTime()).toBeGreaterThanOrEqual(publishMs);
          expect(current.retireTime.getTime() - now.getTime()).toBeGreaterThan(600_000);
        }
      }),
    );
  });
});
