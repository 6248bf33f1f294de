import { describe, expect, it } from "vitest";
import { createReplay } from "./replay.ts";

function source(count: number) {
  const state = { read: 0, returned: false };
  async function* messages() {
    try {
      for (let i = 1; i <= count; i++) {
        state.read++;
        yield i;
      }
    } finally {
      state.returned = true;
    }
  }
  return { state, messages: messages() };
}

describe("createReplay", () => {
  it("gives a single message to each reader, read once", async () => {
    const { state, messages } = source(1);
    const replay = createReplay(messages);
    expect(await Array.fromAsync(replay.messages())).toEqual([1]);
    expect(replay.possible()).toBe(true);
    expect(await Array.fromAsync(replay.messages())).toEqual([1]);
    expect(state.read).toBe(1);
  });

  it("lets a second reader go on where the first one left", async () => {
    const { messages } = source(4);
    const replay = createReplay(messages);
    const first = replay.messages()[Symbol.asyncIterator]();
    expect(await first.next()).toEqual({ done: false, value: 1 });
    await first.return?.();
    expect(replay.possible()).toBe(true);
    expect(await Array.fromAsync(replay.messages())).toEqual([1, 2, 3, 4]);
  });

  it("is over once somebody has read on", async () => {
    const replay = createReplay(source(3).messages);
    await Array.fromAsync(replay.messages());
    expect(replay.possible()).toBe(false);
  });

  it("ends its source when the last reader leaves, not before", async () => {
    const { state, messages } = source(4);
    const replay = createReplay(messages);
    const first = replay.messages()[Symbol.asyncIterator]();
    await first.next();
    await first.return?.();
    expect(state.returned).toBe(false);
    const second = replay.messages()[Symbol.asyncIterator]();
    await second.next();
    replay.settle();
    expect(state.returned).toBe(false);
    await second.return?.();
    expect(state.returned).toBe(true);
  });

  it("ends its source when it is given up after the last reader has left", async () => {
    const { state, messages } = source(4);
    const replay = createReplay(messages);
    const reader = replay.messages()[Symbol.asyncIterator]();
    await reader.next();
    await reader.return?.();
    replay.settle();
    await expect.poll(() => state.returned).toBe(true);
  });
});
