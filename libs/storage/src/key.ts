import { InvalidKeyError } from "./object-store.ts";

const maxLength = 512;
// No segment begins with a dot: neither `..` nor a hidden file can be named, and the store keeps its own files behind a dot.
const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;

/** Whether a text is a key: segments of letters, digits, `-`, `_` and `.`, joined by `/`. */
export function isKey(text: string): boolean {
  return text.length <= maxLength && text.split("/").every((part) => segment.test(part));
}

/** The key, or an InvalidKeyError. */
export function checkKey(key: string): string {
  if (!isKey(key)) throw new InvalidKeyError(`Not an object key: ${JSON.stringify(key.slice(0, 100))}.`);
  return key;
}

/** The prefix (a key and a `/`), or an InvalidKeyError: an empty prefix would be the whole store. */
export function checkPrefix(prefix: string): string {
  if (!prefix.endsWith("/") || !isKey(prefix.slice(0, -1))) {
    throw new InvalidKeyError(`Not a prefix of object keys: ${JSON.stringify(prefix.slice(0, 100))}.`);
  }
  return prefix;
}
