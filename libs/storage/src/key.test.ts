import { join, resolve, sep } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkKey, checkPrefix, isKey } from "./key.ts";
import { InvalidKeyError } from "./object-store.ts";

const root = resolve("/data/objects");

/** Texts built from the parts that attacks on paths are made of. */
const hostile = fc
  .array(fc.constantFrom("..", ".", "/", "\\", "%2e", "%2F", "\0", "a", "B-", "_.", "~", ":", "\n", "é", "..."), {
    maxLength: 12,
  })
  .map((parts) => parts.join(""));

describe("isKey", () => {
  it("accepts what the encoder writes", () => {
    for (const key of ["videos/1b4e28ba-2fa1-11d2-883f-0016d3cca427/source", "videos/v/e/1/720p/12.m4s", "a"]) {
      expect(isKey(key), key).toBe(true);
    }
  });

  it("never accepts a key that leads out of the store or to one of its own files", () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: "binary" })), (text) => {
        if (!isKey(text)) return;
        const path = join(root, text);
        expect(path.startsWith(root + sep)).toBe(true);
        expect(path).toBe(`${root}/${text}`);
        expect(text.split("/").some((part) => part.startsWith("."))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    "..",
    "a/../b",
    "a/.hidden",
    ".scratch/x",
    "a\0b",
    "a\nb",
    "ä",
    "a%2fb",
    "x".repeat(513),
  ])("refuses %j", (text) => {
    expect(isKey(text)).toBe(false);
    expect(() => checkKey(text)).toThrow(InvalidKeyError);
  });
});

describe("checkPrefix", () => {
  it("wants a key and a slash, so that the whole store is no prefix", () => {
    expect(checkPrefix("videos/v/")).toBe("videos/v/");
    for (const text of ["", "/", "videos", "../", "videos//", "./"]) {
      expect(() => checkPrefix(text), text).toThrow(InvalidKeyError);
    }
  });
});
