import { expect, test } from "vitest";
import { startChild } from "./child.ts";

const module = new URL("./testing/echo-main.ts", import.meta.url).href;

test("a child is started with more than a command line takes", async () => {
  const parameters = { body: "a".repeat(200_000), bytes: new Uint8Array([1, 2]), none: undefined };
  await using child = await startChild({ module, parameters });
  expect(await child.ask("parameters")).toEqual(parameters);
});

test("a child that ends before it answers is told of", async () => {
  const gone = new URL("./testing/no-such-module.ts", import.meta.url).href;
  await expect(startChild({ module: gone, parameters: {} })).rejects.toThrow(/ended/);
});
