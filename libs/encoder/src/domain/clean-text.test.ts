import { expect, it } from "vitest";
import { cleanText } from "./clean-text.ts";

it("cleanText takes out what neither database nor terminal can bear, and bounds the length", () => {
  expect(cleanText("a\u0000b\u001b[31m\n\tc ", 100)).toBe("a b [31m c");
  expect(cleanText("x".repeat(50), 10)).toBe(`${"x".repeat(9)}…`);
  expect(cleanText("Größe 10 ✓", 100)).toBe("Größe 10 ✓");
});
