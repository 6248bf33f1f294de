import { describe, expect, it } from "vitest";
import { createShortMemory } from "./short-memory.ts";

const long = 60_000;

describe("a short memory", () => {
  it("reads once for all who ask at the same time, and for a while after", async () => {
    const memory = createShortMemory<number>(10);
    let reads = 0;
    const read = async () => ++reads;
    expect(await Promise.all([memory.get("a", long, read), memory.get("a", long, read)])).toEqual([1, 1]);
    expect(await memory.get("a", long, read)).toBe(1);
    expect(await memory.get("b", long, read)).toBe(2);
  });

  it("reads anew what is too old", async () => {
    const memory = createShortMemory<number>(10);
    await memory.get("a", 0, async () => 1);
    expect(await memory.get("a", 0, async () => 2)).toBe(2);
  });

  it("keeps no failure", async () => {
    const memory = createShortMemory<number>(10);
    await expect(memory.get("a", long, () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await memory.get("a", long, async () => 1)).toBe(1);
  });

  it("forgets what was read first when there is too much", async () => {
    const memory = createShortMemory<number>(2);
    for (const key of ["a", "b", "c"]) await memory.get(key, long, async () => 1);
    expect(await memory.get("c", long, async () => 2)).toBe(1);
    expect(await memory.get("a", long, async () => 2)).toBe(2);
  });
});
