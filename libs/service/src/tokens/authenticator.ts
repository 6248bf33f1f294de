import { createHash, timingSafeEqual } from "node:crypto";
import { type Authenticate, type Caller, DomainError } from "@kinora/rpc";
import type { KeySource } from "./key-source.ts";
import { createSeenCredentials } from "./seen-credentials.ts";
import { verifyAccessToken } from "./verify-access-token.ts";

/** What credentials a service accepts; `now` in milliseconds since 1970. */
export type AuthenticatorOptions = { keys: KeySource; serviceToken?: string; workerToken?: string; now?: () => number };

/** Characters of the longest header that is looked at. */
const longestHeader = 8_100;

/**
 * Accepts access tokens of the user service, and the credentials that services and workers share: those stand for a built-in service account of their kind. No network call is
 * needed beyond what `keys` makes. Whether a caller may call a method is the gate's to say (`checkAccess`), and that of routes beside the RPCs (`checkGrant`).
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { keys, now = Date.now } = options;
  const seen = createSeenCredentials(now);
  const shared: { digest: Buffer; caller: Caller }[] = [];
  if (options.serviceToken !== undefined) {
    shared.push({ digest: digest(options.serviceToken), caller: builtIn("service") });
  }
  if (options.workerToken !== undefined) {
    shared.push({ digest: digest(options.workerToken), caller: builtIn("worker") });
  }

  async function identify(authorization: string): Promise<Caller> {
    const token = authorization.length > longestHeader ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1];
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
    const { caller, expiresAt } = await verifyAccessToken(token, keys, now());
    seen.remember(authorization, caller, expiresAt);
    return caller;
  }

  return (authorization) =>
    authorization === undefined ? anonymous : (seen.find(authorization) ?? identify(authorization));
}

const anonymous: Caller = { kind: "anonymous" };

function builtIn(kind: "service" | "worker"): Caller {
  return { kind, id: "built-in", scopes: "all", audiences: "all" };
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
