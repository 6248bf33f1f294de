import { verify as verifySignature } from "node:crypto";
import { type Caller, DomainError, type Some } from "@kinora/rpc";
import { clockSkewSeconds, commonAudience, longestTokenSeconds, tokenAlgorithm, tokenType } from "./access-token.ts";
import type { KeySource } from "./key-source.ts";

/** Whom an access token stands for, and until when, in milliseconds since 1970. */
export type VerifiedToken = { caller: Caller; expiresAt: number };

/** Characters of the longest token that is looked at. */
const longestToken = 8_000;
/** A signature's 64 bytes leave four bits of the last character, which must be zero (RFC 4648, 3.5): one signature is written in one way. */
const compactForm = /^([\w-]+)\.([\w-]+)\.([\w-]{85}[AQgw])$/;
/** Names of keys are thumbprints (RFC 7638); nothing else is looked up. */
const kidForm = /^[\w-]{1,100}$/;

const roles = ["member", "admin", "owner"] as const;

/**
 * Verifies an access token: a compact JWS with EdDSA by a key that the token's `kid` names among ours. Whatever else a header says about keys (`jku`, `jwk`, `x5u`, `x5c`) isn't
 * looked at. Throws `unauthenticated`; `unavailable` where the key isn't known and can't be asked for.
 *
 * Not by a library: there is one algorithm and one type to accept, and over WebCrypto a verification takes 1.7 times as long as the signature's own (docs/surprises.md).
 */
export async function verifyAccessToken(token: string, keys: KeySource, now: number): Promise<VerifiedToken> {
  const parts = token.length > longestToken ? null : compactForm.exec(token);
  if (parts === null) {
    throw invalid();
  }
  const [, head = "", body = "", signature = ""] = parts;
  const kid = keyOf(parse(head));
  const key = keys.known(kid) ?? (await keys.find(kid));
  const signed = Buffer.from(token.slice(0, head.length + 1 + body.length), "latin1");
  if (key === undefined || !verifySignature(null, signed, key, Buffer.from(signature, "base64url"))) {
    throw invalid();
  }
  const claims = parse(body);
  if (typeof claims.iss !== "string" || !keys.issuers().has(claims.iss)) {
    throw invalid();
  }
  const seconds = now / 1000;
  const { iat, exp } = claims;
  if (typeof iat !== "number" || typeof exp !== "number") {
    throw invalid();
  }
  if (exp <= seconds) {
    throw new DomainError("unauthenticated", "this access token has expired; refresh it or log in again");
  }
  if (iat > seconds + clockSkewSeconds) {
    throw fromTheFuture();
  }
  if (exp <= iat || exp - iat > longestTokenSeconds) {
    throw invalid();
  }
  if (claims.nbf !== undefined && !(typeof claims.nbf === "number" && claims.nbf <= seconds)) {
    throw invalid();
  }
  return { caller: callerOf(claims), expiresAt: exp * 1000 };
}

type Members = Readonly<Record<string, unknown>>;

/**
 * A part of the token, which must be written as `JSON.stringify` writes it: so nothing in it has two readings. No name is there twice (RFC 7519, 4 leaves it to us to refuse), plainly
 * or by an escape, and no byte is there that decoders forgive.
 */
function parse(part: string): Members {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    if (typeof value === "object" && value !== null && encode(value) === part) {
      return value as Members;
    }
  } catch {
    // No JSON, or too deep to be written again.
  }
  throw invalid();
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** The name of the key that the header names; throws for any header that isn't ours. `crit` (RFC 7515, 4.1.11) asks for what we don't know. */
function keyOf({ alg, typ, kid, crit }: Members): string {
  if (alg !== tokenAlgorithm || typ !== tokenType || crit !== undefined) {
    throw invalid();
  }
  if (typeof kid !== "string" || !kidForm.test(kid)) {
    throw invalid();
  }
  return kid;
}

function callerOf(claims: Members): Caller {
  const { sub, sid, key, kind = "user" } = claims;
  const role = roles.find((name) => name === claims.role);
  if (typeof sub !== "string" || sub === "" || typeof sid !== "string" || role === undefined) {
    throw invalid();
  }
  if (key !== undefined && typeof key !== "string") {
    throw invalid();
  }
  const granted = { scopes: scopesOf(claims), audiences: audiencesOf(claims) };
  switch (kind) {
    case "user":
      return { kind, userId: sub, role, sessionId: key === undefined ? sid : undefined, keyId: key, ...granted };
    case "service":
    case "worker":
      return { kind, id: sub, keyId: key, ...granted };
    default:
      throw invalid();
  }
}

/** Tokens of releases before 0.2 have no scopes, and are good for all that people can do. */
function scopesOf({ scope }: Members): Some {
  if (scope === undefined) {
    return "all";
  }
  if (typeof scope !== "string") {
    throw invalid();
  }
  return new Set(scope.split(" ").filter((name) => name !== ""));
}

function audiencesOf({ aud, scope }: Members): Some {
  const names = Array.isArray(aud) ? aud : [aud];
  if (names.length === 0 || !names.every((name) => typeof name === "string")) {
    throw invalid();
  }
  if (scope !== undefined) {
    return new Set(names);
  }
  if (!names.includes(commonAudience)) {
    throw invalid();
  }
  return "all";
}

function invalid(): DomainError {
  return new DomainError("unauthenticated", "this access token isn't valid here; log in again");
}

/** More likely a clock than a forger: whoever keeps the machines must read it. */
function fromTheFuture(): DomainError {
  const minutes = clockSkewSeconds / 60;
  return new DomainError(
    "unauthenticated",
    `this access token was made in the future; the clocks of Kinora's machines must agree within ${minutes} minutes`,
  );
}
