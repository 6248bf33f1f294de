import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { tokenType } from "../tokens/access-token.ts";
import { fixedKeys, type KeySource, type PublicJwk } from "../tokens/key-source.ts";

/** Members of a token, good or bad. */
export type Members = Record<string, unknown>;

/** A pair of keys that signs whatever a test wants signed, by RFC 7515 alone: no library that would refuse to. */
export type TokenMaker = {
  keys: KeySource;
  publicKey: KeyObject;
  jwk: PublicJwk;
  /** A token that is good but for what is given; `undefined` takes a member away. */
  make(claims?: Members, header?: Members): string;
  /** A token of a header and claims that are written in just this way. */
  makeOf(header: string | Buffer, claims: string | Buffer): string;
  /** The token with a signature of the maker's own choice. */
  signWith(signature: (signed: Buffer) => Buffer, claims?: Members, header?: Members): string;
};

export function createTokenMaker(kid = "k1"): TokenMaker {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  const jwk = { kty: "OKP", crv: "Ed25519", x, kid, use: "sig", alg: "EdDSA" };
  const compact = (header: string | Buffer, claims: string | Buffer, signature: (signed: Buffer) => Buffer) => {
    const signed = `${Buffer.from(header).toString("base64url")}.${Buffer.from(claims).toString("base64url")}`;
    return `${signed}.${signature(Buffer.from(signed)).toString("base64url")}`;
  };
  const ours = (signed: Buffer) => sign(null, signed, privateKey);
  const signWith: TokenMaker["signWith"] = (signature, claims, header) =>
    compact(
      JSON.stringify({ alg: "EdDSA", typ: tokenType, kid, ...header }),
      JSON.stringify({ ...goodClaims(), ...claims }),
      signature,
    );
  return {
    keys: fixedKeys({ keys: [jwk] }),
    publicKey,
    jwk,
    signWith,
    make: (claims, header) => signWith(ours, claims, header),
    makeOf: (header, claims) => compact(header, claims, ours),
  };
}

/** What the swapped-key attack signs with: HMAC, keyed by something that everybody can read. */
export function hmacWith(secret: string | Buffer): (signed: Buffer) => Buffer {
  return (signed) => createHmac("sha256", secret).update(signed).digest();
}

function goodClaims(): Members {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: "kinora",
    sub: "u1",
    sid: "s1",
    aud: ["user", "encoder", "kinora"],
    iat: now,
    exp: now + 600,
    jti: "j1",
    role: "member",
    kind: "user",
    scope: "videos:read account:read",
  };
}

/** Base64url of a text that is no JSON, for tokens that only look like some. */
export function encoded(text: string): string {
  return Buffer.from(text).toString("base64url");
}
