import { expect, test } from "vitest";
import { readRequest } from "./command-line.ts";

test("a name, parts, rounds", () => {
  expect(
    readRequest(["rpc", "--quick", "--only", "server,client", "--only", "http1", "--rounds", "3", "--out", "x"]),
  ).toEqual({
    name: "rpc",
    quick: true,
    only: ["server", "client", "http1"],
    rounds: 3,
    out: "x",
  });
});

test("nothing asked for", () => {
  expect(readRequest([])).toEqual({ name: undefined, quick: false, only: [], rounds: undefined, out: undefined });
});

test.each([["0"], ["1.5"], ["many"], ["101"]])("--rounds %s is refused", (rounds) => {
  expect(() => readRequest(["rpc", "--rounds", rounds])).toThrow(`not "${rounds}"`);
});

test("two names are refused", () => {
  expect(() => readRequest(["rpc", "encode"])).toThrow("one benchmark at a time, not rpc and encode");
});
