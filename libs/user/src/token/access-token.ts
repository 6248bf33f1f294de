import { randomUUID, sign as signBytes } from "node:crypto";
import { type AccessTokenClaims, commonAudience, tokenAlgorithm, tokenType } from "@kinora/service";
import type { Role } from "../account/account.ts";
import { audiencesOf, scopesFor } from "./scopes.ts";
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
  /** A token of this service's own for another service, with all that a service may do there. One is used for half of its life. */
  signOwn(audience: string): Promise<string>;
};

/** Whom the user service's own tokens stand for: it issues them itself, so there is no account and no key. */
const ownSubject = "kinora-user";

export function createAccessTokens(deps: {
  keys: Pick<SigningKeys, "current">;
  issuer: () => string;
  now: () => Date;
}): AccessTokens {
  const { keys, issuer, now } = deps;
  const own = new Map<string, { token: string; renewTime: number }>();
  const tokens: AccessTokens = {
    async sign({ subject, kind, role, source, scopes, audiences }) {
      const issued = Math.floor(now().getTime() / 1000);
      const expires = issued + accessTokenSeconds;
      const { kid, privateKey } = await keys.current();
      const claims: AccessTokenClaims = {
        iss: issuer(),
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
      const signed = `${encode({ alg: tokenAlgorithm, kid, typ: tokenType })}.${encode(claims)}`;
      // At once: the way to a thread and back would take longer than a signature of Ed25519, more so where that thread waits behind passwords.
      const signature = signBytes(null, Buffer.from(signed), privateKey);
      return { token: `${signed}.${signature.toString("base64url")}`, expireTime: new Date(expires * 1000) };
    },
    async signOwn(audience) {
      const known = own.get(audience);
      if (known !== undefined && now().getTime() < known.renewTime) return known.token;
      const { token } = await tokens.sign({
        subject: ownSubject,
        kind: "service",
        role: "member",
        source: { session: randomUUID() },
        scopes: scopesFor("service").filter((scope) => audiencesOf([scope]).includes(audience)),
        audiences: [audience],
      });
      own.set(audience, { token, renewTime: now().getTime() + (accessTokenSeconds * 1000) / 2 });
      return token;
    },
  };
  return tokens;
}

/** A part of a JWS in its compact form (RFC 7515, 3.1). */
function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
