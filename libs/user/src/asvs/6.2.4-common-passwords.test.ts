import { describe, expect, it } from "vitest";
import { isCommon } from "../password/common/common-passwords.ts";
import { passwordFault, productWords } from "../password/password-policy.ts";

// ASVS 6.2.4, 6.2.12: passwords that are known from breaches are refused, by an embedded list. 6.2.11: so are words of the product and the person.

const ada = { email: "ada.lovelace@analytical.example", name: "Ada Lovelace", secondFactor: false };
const fault = (password: string, secondFactor = false) => passwordFault(password, { ...ada, secondFactor });

describe("breached passwords", () => {
  it.each(["iloveyou", "password1", "qwertyuiop", "1q2w3e4r5t", "superman", "sunshine", "letmein123"])(
    "%s is refused, in any case, where 8 characters are enough",
    (password) => {
      expect(fault(password, true)).toMatch(/known from breaches|in sequence/);
      expect(fault(password.toUpperCase(), true)).toMatch(/known from breaches|in sequence/);
    },
  );

  it.each(["qwertyuiopasdfgh", "1qaz2wsx3edc4rfv", "passwordpassword", "iloveyouiloveyou", "q1w2e3r4t5y6u7i8o9p0"])(
    "%s is refused where 15 are needed",
    (password) => {
      expect(fault(password)).toMatch(/known from breaches/);
    },
  );

  it("knows no chosen password of a person who didn't follow the crowd", () => {
    for (let n = 0; n < 5_000; n++) expect(isCommon(`${n} swans went west of ${n}`)).toBe(false);
  });

  it.each([
    "aaaaaaaaaaaaaaaa",
    "abababababababab",
    "lovelovelovelove",
    "qwertyqwertyqwerty",
    "abcdefghijklmnopqrs",
    "9876543210987654",
  ])("%s is a pattern", (password) => {
    expect(fault(password)).toMatch(/repeated or in sequence/);
  });
});

describe("words of the product and the person (6.2.11)", () => {
  it("has the product's name among its words", () => expect(productWords).toContain("kinora"));

  it.each([
    "kinora.kinora.kinora",
    "Kinora-Video-Encoder",
    "k1n0ra_enc0ding_2026",
    "ada.lovelace@analytical.example",
    "AdaLovelace1815!",
    "lovelace-lovelace-ada",
  ])("%s is refused", (password) => expect(fault(password)).toMatch(/name or address/));

  it.each(["seventeen swans at kinora's lake", "lovelace wrote of the seventeen swans"])(
    "%s has more to it",
    (password) => {
      expect(fault(password)).toBeUndefined();
    },
  );
});
