import type { Authenticate } from "@kinora/rpc";
import type { JWTVerifyGetKey } from "jose";

/** What credentials a service accepts. */
export type AuthenticatorOptions = { keys: JWTVerifyGetKey; serviceToken?: string; workerToken?: string };

/** Issuer and audience of every access token. */
export const tokenIssuer = "kinora";
/** Audience of every access token. */
export const tokenAudience = "kinora";

/** Accepts access tokens (EdDSA, signed with one of `keys`) and the two shared credentials. */
export function createAuthenticator(_options: AuthenticatorOptions): Authenticate {
  throw new Error("not there yet");
}

/** The user service's public keys, fetched from its /.well-known/jwks.json when first needed, and again when a key is unknown. */
export function remoteKeys(_userUrl: string): JWTVerifyGetKey {
  throw new Error("not there yet");
}
