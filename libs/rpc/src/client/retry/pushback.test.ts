import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPushback } from "./pushback.ts";

const now = Date.UTC(2026, 0, 1);

describe("readPushback", () => {
  it.each([
    [{}, undefined],
    [{ "grpc-retry-pushback-ms": "250" }, 250],
    [{ "grpc-retry-pushback-ms": "0" }, 0],
    [{ "grpc-retry-pushback-ms": "-1" }, false],
    [{ "grpc-retry-pushback-ms": "soon" }, false],
    [{ "grpc-retry-pushback-ms": "" }, false],
    [{ "retry-after": "3" }, 3000],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:02 GMT" }, 2000],
    [{ "retry-after": "Wed, 31 Dec 2025 23:59:00 GMT" }, 0],
    [{ "retry-after": "later" }, undefined],
    [{ "grpc-retry-pushback-ms": "5", "retry-after": "3" }, 5],
  ])("reads %j as %s", (headers, expected) => {
    expect(readPushback(new Headers(Object.entries(headers)), now)).toBe(expected);
  });

  it("never asks to wait for less than nothing", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (pushback, after) => {
        const values: Record<string, string> = { "grpc-retry-pushback-ms": pushback, "retry-after": after };
        for (const name of Object.keys(values)) {
          const wait = readPushback({ get: (asked) => (asked === name ? (values[name] ?? null) : null) }, now);
          expect(wait === undefined || wait === false || (wait >= 0 && Number.isFinite(wait))).toBe(true);
        }
      }),
    );
  });
});
