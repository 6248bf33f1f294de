import { createPublicKey, type KeyObject } from "node:crypto";
import { tokenIssuer } from "./access-token.ts";

/** The public keys that access tokens are verified with. */
export type KeySource = {
  /** The key of this name, if it is known. */
  known(kid: string): KeyObject | undefined;
  /** Looks for a key that isn't known, within bounds; undefined if there is none. Throws a DomainError `unavailable` where nobody can be asked. */
  find(kid: string): Promise<KeyObject | undefined>;
  /** Who may have issued the tokens. */
  issuers(): ReadonlySet<string>;
};

/** Members of a JSON Web Key (RFC 7517) that an Ed25519 key has (RFC 8037). */
export type PublicJwk = { kty: string; crv: string; x: string; kid: string; use: string; alg: string };

/** Keys of the largest set that is taken. There are two or three. */
const mostKeys = 100;

/** The Ed25519 keys for signatures among a JSON Web Key Set, by name; undefined if it isn't one. What else is among them is left out. */
export function readKeySet(set: unknown): Map<string, KeyObject> | undefined {
  const keys = typeof set === "object" && set !== null && "keys" in set ? set.keys : undefined;
  if (!Array.isArray(keys) || keys.length > mostKeys) {
    return undefined;
  }
  const read = new Map<string, KeyObject>();
  for (const jwk of keys) {
    const key = readKey(jwk);
    if (key !== undefined) {
      read.set(key.kid, key.key);
    }
  }
  return read;
}

function readKey(jwk: unknown): { kid: string; key: KeyObject } | undefined {
  if (typeof jwk !== "object" || jwk === null) {
    return undefined;
  }
  const { kty, crv, x, kid, use } = jwk as Partial<PublicJwk>;
  if (kty !== "OKP" || crv !== "Ed25519" || typeof x !== "string" || typeof kid !== "string") {
    return undefined;
  }
  if (use !== undefined && use !== "sig") {
    return undefined;
  }
  try {
    return { kid, key: createPublicKey({ key: { kty, crv, x }, format: "jwk" }) };
  } catch {
    return undefined;
  }
}

/** A key set that doesn't change; throws if it isn't one. */
export function fixedKeys(set: unknown, issuers: readonly string[] = [tokenIssuer]): KeySource {
  const keys = readKeySet(set);
  if (keys === undefined) {
    throw new TypeError("this isn't a key set");
  }
  const issued = new Set(issuers);
  return { known: (kid) => keys.get(kid), find: async () => undefined, issuers: () => issued };
}
