import { describe, expect, it } from "vitest";
import { createSeenCredentials } from "./seen-credentials.ts";

const caller = { kind: "service", id: "built-in", scopes: "all", audiences: "all" } as const;

describe("seen credentials", () => {
  it("are known until they expire, to the millisecond", () => {
    let now = 1_000;
    const seen = createSeenCredentials(() => now);
    seen.remember("Bearer a", caller, 1_500);
    expect(seen.find("Bearer a")).toBe(caller);
    expect(seen.find("Bearer b")).toBeUndefined();
    now = 1_499;
    expect(seen.find("Bearer a")).toBe(caller);
    now = 1_500;
    expect(seen.find("Bearer a")).toBeUndefined();
  });

  it("are looked at anew after a minute, however long they last", () => {
    let now = 0;
    const seen = createSeenCredentials(() => now);
    seen.remember("Bearer a", caller, Number.POSITIVE_INFINITY);
    now = 59_999;
    expect(seen.find("Bearer a")).toBe(caller);
    now = 60_000;
    expect(seen.find("Bearer a")).toBeUndefined();
  });

  it("are forgotten from the oldest on when there are too many", () => {
    const seen = createSeenCredentials(() => 0);
    for (let i = 0; i < 10_001; i++) {
      seen.remember(`Bearer ${i}`, caller, 1);
    }
    expect(seen.find("Bearer 0")).toBeUndefined();
    expect(seen.find("Bearer 1")).toBe(caller);
    expect(seen.find("Bearer 10000")).toBe(caller);
  });
});
