import { createHash, timingSafeEqual } from "node:crypto";
import { type Authenticate, type Caller, DomainError } from "@kinora/rpc";
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { createSeenCredentials } from "./seen-credentials.ts";

/** What credentials a service accepts. */
export type AuthenticatorOptions = { keys: JWTVerifyGetKey; serviceToken?: string; workerToken?: string };

/** Issuer of every access token. */
export const tokenIssuer = "kinora";
/** Audience of every access token. */
export const tokenAudience = "kinora";

/** Characters of the longest credential that is looked at. */
const longestToken = 8_000;

const roles = ["member", "admin", "owner"] as const;

/**
 * Accepts access tokens (JWT signed with EdDSA by one of `keys`, for our audience, not expired) and the credentials that services and workers share. No
 * network call is needed beyond what `keys` makes.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const seen = createSeenCredentials();
  const shared: { digest: Buffer; caller: Caller }[] = [];
  if (options.serviceToken !== undefined) {
    shared.push({ digest: digest(options.serviceToken), caller: { kind: "service" } });
  }
  if (options.workerToken !== undefined) {
    shared.push({ digest: digest(options.workerToken), caller: { kind: "worker" } });
  }

  async function identify(authorization: string): Promise<Caller> {
    const token = authorization.length > longestToken ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined) {
      throw new DomainError("unauthenticated", 'this credential can\'t be read; send "Authorization: Bearer <token>"');
    }
    // Digests have one length, so comparing them takes the same time whatever the token looks like.
    const candidate = digest(token);
    const known = shared.filter((credential) => timingSafeEqual(credential.digest, candidate));
    if (known[0] !== undefined) {
      seen.remember(authorization, known[0].caller, Number.POSITIVE_INFINITY);
      return known[0].caller;
    }
    const { caller, expiresAt } = await verify(token, options.keys);
    seen.remember(authorization, caller, expiresAt);
    return caller;
  }

  return (authorization) =>
    authorization === undefined ? anonymous : (seen.find(authorization) ?? identify(authorization));
}

const anonymous: Caller = { kind: "anonymous" };

async function verify(token: string, keys: JWTVerifyGetKey): Promise<{ caller: Caller; expiresAt: number }> {
  let payload: JWTPayload;
  try {
    const requiredClaims = ["sub", "sid", "role", "exp", "iat"];
    const verified = await jwtVerify(token, keys, {
      algorithms: ["EdDSA"],
      issuer: tokenIssuer,
      audience: tokenAudience,
      requiredClaims,
    });
    payload = verified.payload;
  } catch (error) {
    throw toFault(error);
  }
  const role = roles.find((name) => name === payload.role);
  if (typeof payload.sub !== "string" || typeof payload.sid !== "string" || role === undefined) {
    throw invalid();
  }
  const caller: Caller = { kind: "user", userId: payload.sub, role, sessionId: payload.sid };
  // `exp` is required above; 0 forgets at once.
  return { caller, expiresAt: (payload.exp ?? 0) * 1000 };
}

// No answer in time; an answer that isn't a key set; an answer that isn't JSON or not "200 OK".
const keySetFaults = new Set(["ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID", "ERR_JOSE_GENERIC"]);

function toFault(error: unknown): DomainError {
  if (error instanceof errors.JWTExpired) {
    return new DomainError("unauthenticated", "this access token has expired; refresh it or log in again");
  }
  // A key set that can't be had says nothing about the token.
  if (!(error instanceof errors.JOSEError) || keySetFaults.has(error.code)) {
    return new DomainError("unavailable", "the user service can't be asked for its keys now; try again soon", {
      cause: error,
      retryAfterSeconds: 2,
    });
  }
  return invalid(error);
}

function invalid(cause?: unknown): DomainError {
  return new DomainError("unauthenticated", "this access token isn't valid here; log in again", { cause });
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
