import { randomUUID } from "node:crypto";
import { type AccessTokenClaims, commonAudience, tokenAlgorithm, tokenType } from "@kinora/service";
import { SignJWT } from "jose";
import type { Role } from "../account/account.ts";
import { audiencesOf } from "./scopes.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** How long an access token is good for, in seconds. */
export const accessTokenSeconds = 600;

/** Whom an access token stands for, and what it may be used for. */
export type TokenHolder = {
  /** The account, or service account. */
  subject: string;
  kind: AccessTokenClaims["kind"];
  role: Role;
  /** The session, or the API key that the token is given for. */
  source: { session: string } | { key: string };
  scopes: readonly string[];
  /** The services that it may be shown to; all that the scopes are about if not given. */
  audiences?: readonly string[] | undefined;
};

/** Signs access tokens: JWTs that every service verifies by itself. */
export type AccessTokens = {
  sign(holder: TokenHolder): Promise<{ token: string; expireTime: Date }>;
};

export function createAccessTokens(deps: {
  keys: Pick<SigningKeys, "current">;
  issuer: () => string;
  now: () => Date;
}): AccessTokens {
  const { keys, issuer, now } = deps;
  return {
    async sign({ subject, kind, role, source, scopes, audiences }) {
      const issued = Math.floor(now().getTime() / 1000);
      const expires = issued + accessTokenSeconds;
      const { kid, privateKey } = await keys.current();
      const claims: Omit<AccessTokenClaims, "iss"> = {
        sub: subject,
        sid: "session" in source ? source.session : source.key,
        aud: [...(audiences ?? [...audiencesOf(scopes), commonAudience])],
        exp: expires,
        iat: issued,
        jti: randomUUID(),
        role,
        kind,
        scope: scopes.join(" "),
        ...("key" in source && { key: source.key }),
      };
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: tokenAlgorithm, kid, typ: tokenType })
        .setIssuer(issuer())
        .sign(privateKey);
      return { token, expireTime: new Date(expires * 1000) };
    },
  };
}
