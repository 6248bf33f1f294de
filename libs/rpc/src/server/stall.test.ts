import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStallMeter, type Movement } from "./stall.ts";

const limits = { stallMs: 1000, lingerMs: 100 };
const quiet: Movement = { owesBody: false, untaken: 0, answeredEarly: false, received: 0, sent: 0 };

/** When the peer is first said to stall, looked at every 50 ms for 20 s; undefined for never. */
function stallsAt(movementAt: (now: number) => Partial<Movement>): number | undefined {
  const stalls = createStallMeter(limits, 0);
  for (let now = 50; now <= 20_000; now += 50) {
    if (stalls({ ...quiet, ...movementAt(now) }, now)) {
      return now;
    }
  }
  return undefined;
}

describe("a peer", () => {
  it("may wait for us as long as it likes", () => {
    expect(stallsAt(() => ({}))).toBeUndefined();
  });

  it("must send what it owes", () => {
    expect(stallsAt(() => ({ owesBody: true }))).toBe(1000);
  });

  it("may send slowly", () => {
    expect(stallsAt((now) => ({ owesBody: true, received: Math.floor(now / 900) }))).toBeUndefined();
  });

  it("may be quiet while we send", () => {
    expect(stallsAt((now) => ({ owesBody: true, sent: Math.floor(now / 900) }))).toBeUndefined();
  });

  it("must take what it asked for, even if it sends meanwhile", () => {
    expect(stallsAt((now) => ({ untaken: 1, received: now }))).toBe(1050);
  });

  it("has longer for a large piece, of which nothing shows until all is out", () => {
    expect(stallsAt(() => ({ untaken: 640_000 }))).toBe(11_000);
  });

  it("may take slowly", () => {
    expect(stallsAt((now) => ({ untaken: 1000, sent: Math.floor(now / 900) }))).toBeUndefined();
  });

  it("has little time for the rest of what it sends, once it is answered", () => {
    expect(stallsAt((now) => ({ answeredEarly: true, received: now }))).toBe(150);
  });
});

describe("the meter", () => {
  it("never complains sooner than its limits, whatever happens", () => {
    const movement = fc.record({
      owesBody: fc.boolean(),
      untaken: fc.nat(100_000),
      answeredEarly: fc.constant(false),
      received: fc.nat(3),
      sent: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(movement, { maxLength: 18 }), (movements) => {
        const stalls = createStallMeter(limits, 0);
        movements.forEach((each, i) => {
          expect(stalls(each, (i + 1) * 50)).toBe(false);
        });
      }),
    );
  });
});
