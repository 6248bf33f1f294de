import { createHash, randomBytes, randomInt } from "node:crypto";

/** Crockford's Base32: no letters that are taken for digits or each other. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const groups = 4;
const groupLength = 6;

/** A code of 120 random bits, to be copied or typed: `abc123-def456-ghj789-kmn012`. */
export function createLongCode(): string {
  const symbols = Array.from(randomBytes(groups * groupLength), (byte) => alphabet[byte & 31] ?? "");
  return Array.from({ length: groups }, (_, group) =>
    symbols.slice(group * groupLength, (group + 1) * groupLength).join(""),
  ).join("-");
}

/**
 * What the database keeps of a long code. Plain SHA-256 is enough for 112 bits and more (ASVS 6.5.2). Case, spaces and dashes don't count, and look-alikes
 * are read as what they stand for.
 */
export function hashLongCode(code: string): Buffer {
  const plain = code.toLowerCase().replace(/[\s-]/g, "").replace(/o/g, "0").replace(/[il]/g, "1");
  return createHash("sha256").update(plain).digest();
}

/** A code of eight digits (26 bits), for ten minutes and five guesses: short enough to be typed. */
export function createShortCode(): string {
  return String(randomInt(100_000_000)).padStart(8, "0");
}
