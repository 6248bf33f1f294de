import { expect, test } from "vitest";
import { interleave } from "./rounds.ts";

test("each round measures every subject once and begins with another one", async () => {
  const order: string[] = [];
  const subject = (name: string) => ({
    name,
    measure: async () => {
      order.push(name);
      return order.length;
    },
  });
  const samples = await interleave([subject("a"), subject("b"), subject("c")], {
    rounds: 3,
    warmUps: 0,
    signal: new AbortController().signal,
  });
  expect(order.join("")).toBe("abcbcacab");
  expect(samples.get("a")).toEqual([1, 6, 8]);
});

test("warm-ups don't count", async () => {
  let measured = 0;
  const subject = { name: "a", measure: async () => ++measured };
  const samples = await interleave([subject], { rounds: 2, warmUps: 3, signal: new AbortController().signal });
  expect(samples.get("a")).toEqual([4, 5]);
});

test("an aborted signal ends it before the next measurement", async () => {
  const stop = new AbortController();
  let measured = 0;
  const subject = {
    name: "a",
    measure: async () => {
      measured++;
      stop.abort(new Error("stopped"));
    },
  };
  await expect(interleave([subject], { rounds: 5, warmUps: 0, signal: stop.signal })).rejects.toThrow("stopped");
  expect(measured).toBe(1);
});
