import { createHash } from "node:crypto";
import type { HttpRoute } from "@kinora/rpc";
import type { JWK } from "jose";

/**
 * GET /.well-known/jwks.json: the public keys of access tokens. Others may keep the answer for five minutes, and use it for
 * a day more while this service can't be reached (RFC 5861).
 */
export function jwksRoute(jwks: { keys: JWK[] }): HttpRoute {
  const body = Buffer.from(JSON.stringify(jwks));
  const headers = {
    "cache-control": "public, max-age=300, stale-if-error=86400",
    etag: `"${createHash("sha256").update(body).digest("base64url")}"`,
    "access-control-allow-origin": "*",
  };
  return {
    path: "/.well-known/jwks.json",
    async handle(request, response) {
      request.resume();
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.statusCode = 405;
        response.setHeader("allow", "GET, HEAD");
        response.end();
        return;
      }
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      if (request.headers["if-none-match"] === headers.etag) {
        response.statusCode = 304;
        response.end();
        return;
      }
      response.setHeader("content-type", "application/jwk-set+json");
      response.setHeader("content-length", body.length);
      if (request.method === "HEAD") response.end();
      else response.end(body);
    },
  };
}
