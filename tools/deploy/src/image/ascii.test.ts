import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, it } from "vitest";
import { toAscii } from "./ascii.ts";

it("leaves nothing beyond ASCII, and what the code says", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const code = `/* ${text.replaceAll("*/", "")} */ ${JSON.stringify(text)}`;
      expect(toAscii(code)).toMatch(/^[\0-\x7f]*$/);
      expect(runInNewContext(toAscii(code))).toBe(text);
    }),
  );
});

it.each(["/^[a-z\u00e9]+\u2026$/", "/^[a-z\u00e9]+\u2026$/u"])("means the same in %s", (pattern) => {
  expect(runInNewContext(`${toAscii(pattern)}.test("caf\u00e9\u2026")`)).toBe(true);
});

it("leaves ASCII alone", () => {
  const code = "const a = '\\\\u2026'; // \t plain\n";
  expect(toAscii(code)).toBe(code);
});
