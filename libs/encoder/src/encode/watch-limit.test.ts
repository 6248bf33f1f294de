import { expect, it } from "vitest";
import { createWatchLimit } from "./watch-limit.ts";

it("bounds watches for each person and in all, and counts only those that run", () => {
  const limit = createWatchLimit({ total: 3, perUser: 2 });
  const ends = [limit.begin("a"), limit.begin("a")];
  expect(() => limit.begin("a")).toThrow(/You watch too many/);
  ends.push(limit.begin("b"));
  expect(() => limit.begin("b")).toThrow(/People watch too many/);
  ends[0]?.();
  ends[0]?.();
  ends.push(limit.begin("a"));
  expect(() => limit.begin("c")).toThrow(/People/);
  for (const end of ends) end();
  for (const user of ["a", "b", "c"]) limit.begin(user);
  expect(() => limit.begin("d")).toThrow(/People/);
});
