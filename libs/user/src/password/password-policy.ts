import { isCommon } from "./common/common-passwords.ts";

/** The fewest characters (code points) of a password that is the only factor (ASVS 6.2.1; NIST SP 800-63B-4, 3.1.1.2). */
export const minLength = 15;

/** The fewest where a second factor is on. */
export const minLengthWithSecondFactor = 8;

/** The most characters: far above the 64 that have to be accepted (ASVS 6.2.9), and a bound on what is hashed. */
export const maxLength = 1000;

/** Words of the product that a guesser would try first (ASVS 6.2.11). */
export const productWords = ["kinora", "encoder", "encoding", "encode", "video", "stream", "password", "passphrase"];

/** Whose password it is to be. */
export type PasswordOwner = { email: string; name: string; secondFactor: boolean };

/**
 * The text that is hashed: composed (NFC), so that the same characters typed on another system are the same password (NIST SP 800-63B-4, 3.1.1.2). Nothing
 * else: no case folding, no trimming, no truncation (ASVS 6.2.8).
 */
export function normalizePassword(password: string): string {
  return password.normalize("NFC");
}

/**
 * Says what is wrong with a new password (normalised), or undefined if nothing is. There are no rules of composition (ASVS 6.2.5): length, and not being among what
 * guessers try first.
 */
export function passwordFault(password: string, owner: PasswordOwner): string | undefined {
  if (!password.isWellFormed()) return "must be valid Unicode text";
  const length = lengthOf(password);
  if (length > maxLength) return `must be at most ${maxLength} characters long`;
  const least = owner.secondFactor ? minLengthWithSecondFactor : minLength;
  if (length < least) return `must be at least ${least} characters long`;
  if (isPattern(password)) return "must not be a few characters repeated or in sequence";
  if (isCommon(repeatedUnit(password))) {
    return "is among the passwords that are known from breaches; choose another one";
  }
  const words = contextWords(owner);
  const rests = [withoutWords(password.toLowerCase(), words), withoutWords(asLetters(password), words.map(asLetters))];
  if (rests.some((rest) => lengthOf(rest) < Math.min(8, least / 2) || isPattern(rest))) {
    return "must not consist of the product's name or your own name or address";
  }
  return undefined;
}

/** Whether a password is good beside a second factor only. */
export function isShort(password: string): boolean {
  return lengthOf(password) < minLength;
}

function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** Whether fewer than four different characters make it up, or fewer than eight that come again and again, or each follows its predecessor (`abcdef…`, `987654…`). */
function isPattern(password: string): boolean {
  const points = Array.from(password, (character) => character.codePointAt(0) ?? 0);
  if (new Set(points).size < 4 || lengthOf(repeatedUnit(password)) < Math.min(8, points.length)) return true;
  const steps = points.slice(1).map((point, index) => point - (points[index] ?? 0));
  // A run of digits starts anew after 9.
  return [1, -1].some((step) => steps.every((one) => one === step || one === -9 * step));
}

/** The shortest text of which the password is a repetition: the password itself if it is none. */
function repeatedUnit(password: string): string {
  const period = (password + password).indexOf(password, 1);
  return password.slice(0, period);
}

function contextWords({ email, name }: PasswordOwner): string[] {
  const own = `${email} ${name}`.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return [...productWords, ...own.filter((word) => lengthOf(word) >= 3)].toSorted((a, b) => b.length - a.length);
}

function withoutWords(text: string, words: readonly string[]): string {
  return words.reduce((rest, word) => rest.replaceAll(word, ""), text);
}

/** In lower case, with the letters for which digits and signs often stand. */
function asLetters(text: string): string {
  return text.toLowerCase().replace(/[013457@$]/g, (sign) => lookAlikes[sign] ?? sign);
}

const lookAlikes: Record<string, string> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
};
