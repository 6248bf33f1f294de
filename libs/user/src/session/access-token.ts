import { randomUUID } from "node:crypto";
import { tokenAudience, tokenIssuer } from "@kinora/service";
import { SignJWT } from "jose";
import type { Role } from "../account/account.ts";
import { type SigningKeys, signingAlgorithm } from "./signing-keys.ts";

/** How long an access token is good for, in seconds. */
export const accessTokenSeconds = 600;

/** Signs an access token: a JWT that every service verifies by itself. */
export async function signAccessToken(
  keys: Pick<SigningKeys, "kid" | "privateKey">,
  holder: { userId: string; sessionId: string; role: Role },
  now: Date,
): Promise<{ token: string; expireTime: Date }> {
  const issued = Math.floor(now.getTime() / 1000);
  const expires = issued + accessTokenSeconds;
  const token = await new SignJWT({ sid: holder.sessionId, role: holder.role })
    .setProtectedHeader({ alg: signingAlgorithm, kid: keys.kid, typ: "at+jwt" }) // RFC 9068, 2.1
    .setIssuer(tokenIssuer)
    .setAudience(tokenAudience)
    .setSubject(holder.userId)
    .setJti(randomUUID())
    .setIssuedAt(issued)
    .setExpirationTime(expires)
    .sign(keys.privateKey);
  return { token, expireTime: new Date(expires * 1000) };
}
