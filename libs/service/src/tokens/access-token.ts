/**
 * What the user service and all others have to agree on: the form of an access token (a JWT as RFC 9068 profiles it).
 *
 * `sub` is the account, or service account; `sid` the session or API key; `aud` the services that it may be shown to; `scope` what it may be used for, by single
 * spaces; `role` the account's role; `kind` what the subject is.
 *
 * Header and claims are written as `JSON.stringify` writes them, and are refused in any other form.
 */
export type AccessTokenClaims = {
  iss: string;
  sub: string;
  sid: string;
  aud: string | string[];
  exp: number;
  iat: number;
  jti: string;
  role: string;
  kind: "user" | "service" | "worker";
  scope: string;
  /** The API key that the token was exchanged for. */
  key?: string;
};

/** The issuer that every verifier knows. Verifiers also accept the one that the user service's OpenID discovery names. */
export const tokenIssuer = "kinora";

/** An audience that stands for every service: verifiers before 0.2 ask for it, and it is all that their tokens name. */
export const commonAudience = "kinora";

/** The one algorithm: EdDSA over Ed25519 (RFC 8037). */
export const tokenAlgorithm = "EdDSA";

/** The one type (RFC 9068, 2.1), so that no other JWT of the same keys passes for an access token. */
export const tokenType = "at+jwt";

/**
 * No token lives longer, in seconds, whoever signed it. The user service gives 600; what is beyond lets a later release give more before all verifiers know of it.
 */
export const longestTokenSeconds = 900;

/** How far ahead the user service's clock may be of a verifier's, in seconds. */
export const clockSkewSeconds = 300;
