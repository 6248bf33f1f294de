import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Grant, signGrant, verifyGrant } from "./signature.ts";

const secret = Buffer.alloc(32, 7);
const grant: Grant = { method: "PUT", key: "videos/v/e/1/720p/1.m4s", expires: 2000, maxBytes: 100 };

describe("signGrant and verifyGrant", () => {
  it("give back what was signed", () => {
    expect(verifyGrant(secret, grant.key, signGrant(secret, grant), 1000)).toEqual(grant);
    const { maxBytes: _, ...unlimited } = grant;
    expect(verifyGrant(secret, grant.key, signGrant(secret, unlimited), 1000)).toEqual(unlimited);
  });

  it("expire at the second", () => {
    expect(verifyGrant(secret, grant.key, signGrant(secret, grant), 1999)).toEqual(grant);
    expect(verifyGrant(secret, grant.key, signGrant(secret, grant), 2000)).toBe("expired");
  });

  it("refuse every other use of a signature", () => {
    const signed = signGrant(secret, grant);
    const changed = (name: string, value: string) => {
      const query = new URLSearchParams(signed);
      query.set(name, value);
      return verifyGrant(secret, grant.key, query, 1000);
    };
    expect(verifyGrant(secret, "videos/v/e/1/720p/2.m4s", signed, 1000)).toBe("forged");
    expect(verifyGrant(Buffer.alloc(32, 8), grant.key, signed, 1000)).toBe("forged");
    expect(changed("method", "GET")).toBe("forged");
    expect(changed("expires", "9999")).toBe("forged");
    expect(changed("limit", "1000000")).toBe("forged");
    expect(changed("signature", "")).toBe("forged");
    const unlimited = new URLSearchParams(signed);
    unlimited.delete("limit");
    expect(verifyGrant(secret, grant.key, unlimited, 1000)).toBe("forged");
  });

  it("never take a made-up query", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("method", "expires", "limit", "signature", "x"), fc.string()),
        (query) => {
          expect(verifyGrant(secret, grant.key, new URLSearchParams(query), 0)).toBe("forged");
        },
      ),
    );
  });
});
