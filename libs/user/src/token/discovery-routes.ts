import type { HttpRoute } from "@kinora/rpc";
import { tokenAlgorithm } from "@kinora/service";
import { jsonRoute } from "./json-route.ts";
import { scopesFor } from "./scopes.ts";
import type { SigningKeys } from "./signing-keys.ts";

/**
 * How others find what they verify access tokens with: `/.well-known/jwks.json`, and `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0), which names it. Kinora
 * logs people in by its own calls, so that there are no endpoints of OAuth to name.
 */
export function discoveryRoutes(deps: {
  keys: Pick<SigningKeys, "jwks">;
  issuer: () => string;
  publicUrl: () => string;
}): HttpRoute[] {
  const { keys, issuer, publicUrl } = deps;
  const configuration = () => ({
    issuer: issuer(),
    jwks_uri: `${publicUrl()}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: [tokenAlgorithm],
    response_types_supported: [],
    subject_types_supported: ["public"],
    scopes_supported: scopesFor("owner"),
    claims_supported: ["iss", "sub", "aud", "exp", "iat", "jti", "sid", "role", "kind", "scope"],
  });
  return [
    jsonRoute("/.well-known/jwks.json", "application/jwk-set+json", keys.jwks),
    jsonRoute("/.well-known/openid-configuration", "application/json", configuration),
  ];
}
