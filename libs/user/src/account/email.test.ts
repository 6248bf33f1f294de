import { describe, expect, it } from "vitest";
import { emailKey, hasControlCharacters } from "./email.ts";

describe("emailKey", () => {
  it.each([
    ["Ada@Example.COM", "ada@example.com"],
    ["ada@example.com", "ada@example.com"],
    ["\u212Aing@example.com", "\u212Aing@example.com"], // Kelvin sign
    ["İ@example.com", "İ@example.com"],
    ["", ""],
  ])("%j → %j", (email, key) => {
    expect(emailKey(email)).toBe(key);
  });
});

describe("hasControlCharacters", () => {
  it.each([
    ["ada@example.com", false],
    ["ada\0@example.com", true],
    ["ada@example.com\n", true],
    ["ada\u0085@example.com", true],
    ["ädä@example.com", false],
  ])("%j: %s", (text, expected) => {
    expect(hasControlCharacters(text)).toBe(expected);
  });
});
