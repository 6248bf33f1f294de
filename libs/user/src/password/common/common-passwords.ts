import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** Bytes of one entry: the head of a SHA-256. A password that isn't in the list is taken for one that is once in five million. */
export const entryBytes = 5;

/** What stands in the list for a password: the same for any case and any compatible spelling, as guessers try those, too. */
export function commonKey(password: string): Buffer {
  return createHash("sha256").update(password.normalize("NFKC").toLowerCase()).digest().subarray(0, entryBytes);
}

let list: Buffer | undefined;

/**
 * Whether a password of eight characters or more is among 200,000 that are known from breaches (ASVS 6.2.4, 6.2.12). The list is embedded: nothing is asked of
 * anybody else, and it takes 1 MB of memory from its first use.
 */
export function isCommon(password: string): boolean {
  list ??= readFileSync(new URL("./common-passwords.bin", import.meta.url));
  const key = commonKey(password);
  let low = 0;
  let high = list.length / entryBytes;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = middle * entryBytes;
    const order = key.compare(list, at, at + entryBytes);
    if (order === 0) return true;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return false;
}
