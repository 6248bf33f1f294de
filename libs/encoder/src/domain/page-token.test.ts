import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pageSizeOf, readPageToken, writePageToken } from "./page-token.ts";

describe("page tokens", () => {
  it("give back the cursor", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }),
        fc.uuid(),
        (createdAt, id) => {
          expect(readPageToken(writePageToken({ createdAt, id }))).toEqual({ createdAt, id });
        },
      ),
    );
  });

  it("are refused when they are somebody's invention", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readPageToken(text)).toBeUndefined();
        expect(readPageToken(Buffer.from(text).toString("base64url"))).toBeUndefined();
      }),
    );
    expect(
      readPageToken(Buffer.from("99999999999999999 1b4e28ba-2fa1-11d2-883f-0016d3cca427").toString("base64url")),
    ).toBeUndefined();
  });
});

it("pageSizeOf has a default and a bound", () => {
  expect([0, 1, 1000, 5000].map(pageSizeOf)).toEqual([50, 1, 1000, 1000]);
});
