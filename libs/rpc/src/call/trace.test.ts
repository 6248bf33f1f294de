import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTraceparent, startSpan } from "./trace.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";

describe("startSpan", () => {
  it.each([
    [`00-${traceId}-${parentId}-01`, true],
    [`00-${traceId}-${parentId}-00`, true],
    // A version that isn't known may say more after a dash.
    [`cc-${traceId}-${parentId}-01-more`, true],
    [`00-${traceId}-${parentId}-01-more`, false],
    [`ff-${traceId}-${parentId}-01`, false],
    [`00-${"0".repeat(32)}-${parentId}-01`, false],
    [`00-${traceId}-${"0".repeat(16)}-01`, false],
    [`00-${traceId.toUpperCase()}-${parentId}-01`, false],
    [`00-${traceId}-${parentId}`, false],
    ["", false],
    [undefined, false],
  ])("continues the trace of %s: %s", (header, continues) => {
    const span = startSpan(header);
    expect(span.traceId === traceId).toBe(continues);
    expect(span.parentId).toBe(continues ? parentId : undefined);
  });

  it("keeps what other systems say of the caller's trace, unless it is too long", () => {
    const header = `00-${traceId}-${parentId}-01`;
    expect(startSpan(header, "other=1").state).toBe("other=1");
    expect(startSpan(header, `other=${"1".repeat(600)}`).state).toBeUndefined();
    expect(startSpan(undefined, "other=1").state).toBeUndefined();
  });

  it("makes a right header whatever came in", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(formatTraceparent(startSpan(header))).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
      }),
    );
  });

  it("gives every span an identifier of its own", () => {
    const header = `00-${traceId}-${parentId}-01`;
    expect(startSpan(header).spanId).not.toBe(startSpan(header).spanId);
  });
});
