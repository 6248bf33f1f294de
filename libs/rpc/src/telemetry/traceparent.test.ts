import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatFlags, parseTraceparent } from "./traceparent.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

describe("parseTraceparent", () => {
  it.each([
    [`00-${traceId}-${spanId}-01`, { traceId, spanId, flags: 1 }],
    [`00-${traceId}-${spanId}-a3`, { traceId, spanId, flags: 0xa3 }],
    // A version that isn't known may say more after a dash.
    [`cc-${traceId}-${spanId}-00-more`, { traceId, spanId, flags: 0 }],
    [`cc-${traceId}-${spanId}-00more`, undefined],
    [`00-${traceId}-${spanId}-01-more`, undefined],
    [`ff-${traceId}-${spanId}-01`, undefined],
    [`00-${"0".repeat(32)}-${spanId}-01`, undefined],
    [`00-${traceId}-${"0".repeat(16)}-01`, undefined],
    [`00-${traceId.toUpperCase()}-${spanId}-01`, undefined],
    [`00-${traceId}-${spanId}`, undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%s", (header, parsed) => {
    expect(parseTraceparent(header)).toEqual(parsed);
  });

  it("takes what the specification's grammar describes, and nothing else", () => {
    const grammar =
      /^(?!ff)(?:00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)$/s;
    const nearly = fc
      .tuple(fc.constantFrom("00", "01", "ff"), fc.nat(57), fc.constantFrom("", "0", "-", "g", "F", "00"))
      .map(([version, at, wrong]) => {
        const right = `${version}-${traceId}-${spanId}-01`;
        return right.slice(0, at) + wrong + right.slice(at + 1);
      });
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (header) => {
        expect(parseTraceparent(header) !== undefined).toBe(grammar.test(header));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("formatFlags", () => {
  it("writes what parseTraceparent reads", () => {
    fc.assert(
      fc.property(fc.nat(255), (flags) => {
        expect(parseTraceparent(`00-${traceId}-${spanId}-${formatFlags(flags)}`)?.flags).toBe(flags);
      }),
    );
  });
});
