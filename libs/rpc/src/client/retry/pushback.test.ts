import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPushback } from "./pushback.ts";

const now = Date.UTC(2026, 0, 1);

describe("readPushback", () => {
  it.each([
    [{}, undefined],
    [{ "grpc-retry-pushback-ms": "250" }, { waitMs: 250, asked: true }],
    [{ "grpc-retry-pushback-ms": "0" }, { waitMs: 0, asked: true }],
    [{ "grpc-retry-pushback-ms": "-1" }, false],
    [{ "grpc-retry-pushback-ms": "soon" }, false],
    [{ "grpc-retry-pushback-ms": "" }, false],
    [{ "retry-after": "3" }, { waitMs: 3000, asked: false }],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:02 GMT" }, { waitMs: 2000, asked: false }],
    [{ "retry-after": "Wed, 31 Dec 2025 23:59:00 GMT" }, { waitMs: 0, asked: false }],
    [{ "retry-after": "later" }, undefined],
    [
      { "grpc-retry-pushback-ms": "5", "retry-after": "3" },
      { waitMs: 5, asked: true },
    ],
  ])("reads %j as %j", (headers, expected) => {
    expect(readPushback(new Headers(Object.entries(headers)), now)).toEqual(expected);
  });

  it("never asks to wait for less than nothing", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (pushback, after) => {
        const values: Record<string, string> = { "grpc-retry-pushback-ms": pushback, "retry-after": after };
        for (const name of Object.keys(values)) {
          const read = readPushback({ get: (asked) => (asked === name ? (values[name] ?? null) : null) }, now);
          const wait = read ? read.waitMs : 0;
          expect(wait >= 0 && Number.isFinite(wait)).toBe(true);
        }
      }),
    );
  });
});
