import { createHash, createHmac, randomBytes } from "node:crypto";

/** A new refresh token: 256 random bits, opaque to everybody. */
export function createRefreshToken(): string {
  return randomBytes(32).toString("base64url");
}

/** What a token's successor is made with: 256 random bits, of which each serves for one. */
export function createSuccessorSalt(): Buffer {
  return randomBytes(32);
}

/**
 * The token that replaces this one. It can be made again for whoever shows this one, and by nobody else: neither the database, which knows the salt and a hash of this token, nor this token alone
 * gives it away.
 */
export function successorOf(token: string, salt: Buffer): string {
  return createHmac("sha256", salt).update(token).digest("base64url");
}

/**
 * What the database keeps of a refresh token. Plain SHA-256 is enough, as nobody can search 2^256 tokens;
 * any text has a hash, so that a token which never was one is simply not found.
 */
export function hashRefreshToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
