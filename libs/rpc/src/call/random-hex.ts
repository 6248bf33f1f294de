import { randomBytes } from "node:crypto";

// Asked for in bulk: a few bytes cost the system's generator as much as a few thousand.
const bulkBytes = 4096;
let digits = "";
let next = 0;

/** So many random bytes as hexadecimal digits, two each; at most 4096 bytes. */
export function randomHex(bytes: number): string {
  if (next + 2 * bytes > digits.length) {
    digits = randomBytes(bulkBytes).toString("hex");
    next = 0;
  }
  const start = next;
  next += 2 * bytes;
  return digits.slice(start, next);
}
