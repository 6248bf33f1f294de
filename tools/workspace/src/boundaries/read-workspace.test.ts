import { expect, it } from "vitest";
import { specifiersOf } from "./read-workspace.ts";

it("reads imports of every form, and what is resolved by hand", () => {
  const source = `
    import { a } from "one";
    import type { B } from "two";
    export * from "./three.ts";
    const c = await import("four");
    const file = import.meta.resolve("./five.js");
  `;
  expect(specifiersOf(source).sort()).toEqual(["./five.js", "./three.ts", "four", "one", "two"]);
});
