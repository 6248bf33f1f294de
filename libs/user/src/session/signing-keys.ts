import {
  type CryptoKey,
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTVerifyGetKey,
} from "jose";
import type { Store } from "../store/store.ts";
import { insertSigningKey, lockSigningKeys, type StoredSigningKey } from "./signing-keys.store.ts";

/** The keys of access tokens: one private key to sign with, every public key to verify with. */
export type SigningKeys = {
  kid: string;
  privateKey: CryptoKey;
  /** What /.well-known/jwks.json answers (RFC 7517). */
  jwks: { keys: JWK[] };
  /** The same, for verification in this process. */
  verification: JWTVerifyGetKey;
};

/** The algorithm of access tokens: EdDSA over Ed25519 (RFC 8037). */
export const signingAlgorithm = "EdDSA";

/**
 * Loads the keys from the database; the very first process makes one. Processes that start at the same moment agree,
 * because the look and the insertion hold one lock.
 */
export async function loadSigningKeys(store: Store, signal: AbortSignal, now: Date): Promise<SigningKeys> {
  const stored = await store.transaction(signal, async (tx) => {
    const found = await lockSigningKeys(tx);
    if (found.length > 0) return found;
    const made = await makeSigningKey(now);
    await insertSigningKey(tx, made);
    return [made];
  });
  const [newest] = stored;
  if (newest === undefined) throw new Error("there is no signing key");
  const privateKey = await importJWK(newest.privateJwk, signingAlgorithm);
  if (privateKey instanceof Uint8Array) throw new Error("the signing key is not an Ed25519 key");
  const jwks = { keys: stored.map(({ kid, privateJwk }) => publicJwk(kid, privateJwk)) };
  return { kid: newest.kid, privateKey, jwks, verification: createLocalJWKSet(jwks) };
}

async function makeSigningKey(now: Date): Promise<StoredSigningKey> {
  const { privateKey } = await generateKeyPair(signingAlgorithm, { crv: "Ed25519", extractable: true });
  const privateJwk = await exportJWK(privateKey);
  // The thumbprint (RFC 7638) names the key by its content, so that a name never stands for two keys.
  return { kid: await calculateJwkThumbprint(privateJwk), privateJwk, createTime: now };
}

/** Only the public members, by name: whatever else a stored key holds stays here. */
function publicJwk(kid: string, { kty, crv, x }: JWK): JWK {
  return { kty, crv, x, kid, use: "sig", alg: signingAlgorithm } as JWK;
}
