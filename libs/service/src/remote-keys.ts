import { createRemoteJWKSet, type JWTVerifyGetKey } from "jose";

const refreshMs = 10 * 60_000;

/**
 * The user service's public keys, from its `/.well-known/jwks.json`: fetched when first needed, when a token names a key that isn't among them (at most every 10 s), and
 * every 10 minutes in the background. Keys once fetched serve on while the user service is away.
 */
export function remoteKeys(userUrl: string): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(`${userUrl.replace(/\/+$/, "")}/.well-known/jwks.json`), {
    timeoutDuration: 5_000,
    cooldownDuration: 10_000,
    cacheMaxAge: Number.POSITIVE_INFINITY,
  });
  let refreshAt = performance.now() + refreshMs;
  return async (header, token) => {
    const key = await keys(header, token);
    if (performance.now() > refreshAt) {
      refreshAt = performance.now() + refreshMs;
      keys.reload().catch(() => {});
    }
    return key;
  };
}
