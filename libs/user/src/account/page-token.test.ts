import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePageToken, encodePageToken } from "./page-token.ts";

describe("page tokens", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }),
        fc.uuid(),
        (createTime, id) => {
          expect(decodePageToken(encodePageToken({ createTime, id }))).toEqual({ createTime, id });
        },
      ),
    );
  });

  it("are accepted only exactly as they were given", () => {
    const token = encodePageToken({
      createTime: new Date(1_700_000_000_000),
      id: "6a0f2f6e-94ff-4e64-9b3e-0d8b8f8f9c11",
    });
    for (const changed of [`${token}A`, token.slice(1), `${token}=`, ` ${token}`, token.replace(/^./, "z")]) {
      expect(decodePageToken(changed)).toBeUndefined();
    }
  });

  it("are refused quietly when they are anything else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: "binary" })), (text) => {
        const position = decodePageToken(text);
        if (position !== undefined) expect(encodePageToken(position)).toBe(text);
      }),
    );
  });

  it("never yield a time that the database refuses", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 24 }), (rest) => {
        const position = decodePageToken(Buffer.concat([Buffer.of(1), rest]).toString("base64url"));
        if (position !== undefined) expect(position.createTime.toISOString()).toMatch(/^\d{4}-/);
      }),
    );
  });
});
