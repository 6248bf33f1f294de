import { createHash, randomBytes } from "node:crypto";

/** A new refresh token: 256 random bits, opaque to everybody. */
export function createRefreshToken(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * What the database keeps of a refresh token. Plain SHA-256 is enough, as nobody can search 2^256 tokens;
 * any text has a hash, so that a token which never was one is simply not found.
 */
export function hashRefreshToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
