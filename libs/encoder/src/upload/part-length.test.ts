import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partBytesFor } from "./part-length.ts";

describe("partBytesFor", () => {
  it("keeps S3's limits for every length that the contract allows", () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat().map((n) => n % (1024 ** 4 + 1)),
        (size) => {
          const part = partBytesFor(size);
          expect(part).toBeGreaterThanOrEqual(5 * 1024 * 1024);
          expect(part).toBeLessThanOrEqual(128 * 1024 * 1024);
          expect(Math.ceil(size / part)).toBeLessThanOrEqual(10_000);
        },
      ),
    );
  });
});
