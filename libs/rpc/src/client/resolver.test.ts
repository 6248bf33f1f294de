import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createResolver, type Lookup } from "./resolver.ts";

/** A name service that answers as told, last answer for ever. */
function start(...answers: (string[] | Error)[]) {
  const asked: number[] = [];
  const seen: (readonly string[])[] = [];
  const faults: unknown[] = [];
  const began = performance.now();
  const lookup: Lookup = async (host) => {
    expect(host).toBe("api.example");
    asked.push(performance.now() - began);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) {
      throw answer;
    }
    return answer ?? [];
  };
  const resolver = createResolver({
    host: "api.example",
    lookup,
    onAddresses: (addresses) => seen.push(addresses),
    onFault: (error) => faults.push(error),
  });
  return { resolver, asked, seen, faults };
}

describe("createResolver", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("looks up at once and every 30 s, and tells of changes only", async () => {
    const { resolver, asked, seen } = start(["b", "a", "a"], ["a", "b"], ["a", "c"]);
    await vi.advanceTimersByTimeAsync(95_000);
    expect(asked).toEqual([0, 30_000, 60_000, 90_000]);
    expect(seen).toEqual([
      ["a", "b"],
      ["a", "c"],
    ]);
    resolver.close();
  });

  it("keeps the last good answer when a look-up fails, and tries again sooner, but not ever faster", async () => {
    const { resolver, asked, seen, faults } = start(["a"], new Error("down"), [], new Error("down"), ["a"]);
    await vi.advanceTimersByTimeAsync(80_000);
    expect(seen).toEqual([["a"], ["a"]]);
    expect(faults).toEqual([new Error("down"), new Error("api.example has no address"), new Error("down")]);
    // 2, 4 and 8 s after the failures.
    expect(asked).toEqual([0, 30_000, 32_000, 36_000, 44_000, 74_000]);
    resolver.close();
  });

  it("looks up when asked to, once a second at most", async () => {
    const { resolver, asked } = start(["a"]);
    await vi.advanceTimersByTimeAsync(500);
    for (let i = 0; i < 10; i++) {
      resolver.refresh();
    }
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toEqual([0, 1000]);
    await vi.advanceTimersByTimeAsync(5_000);
    resolver.refresh();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(asked).toEqual([0, 1000, 6000, 36_000]);
    resolver.close();
  });

  it("is silent once it is closed, even if a look-up is under way", async () => {
    const pending = Promise.withResolvers<string[]>();
    const onAddresses = vi.fn();
    const lookup = vi.fn(() => pending.promise);
    const resolver = createResolver({ host: "x", lookup, onAddresses, onFault: onAddresses });
    resolver.close();
    pending.resolve(["a"]);
    resolver.refresh();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(onAddresses).not.toHaveBeenCalled();
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
