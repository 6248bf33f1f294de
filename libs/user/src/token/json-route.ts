import { createHash } from "node:crypto";
import type { HttpRoute } from "@kinora/rpc";

/**
 * A route that shows a JSON document to everybody, with an ETag. Others may keep the answer for a minute, and use it for a day more while this service can't be reached
 * (RFC 5861).
 */
export function jsonRoute(path: string, contentType: string, document: () => unknown): HttpRoute {
  return {
    path,
    async handle(request, response) {
      request.resume();
      response.setHeader("access-control-allow-origin", "*");
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.statusCode = 405;
        response.setHeader("allow", "GET, HEAD");
        response.end();
        return;
      }
      const body = Buffer.from(JSON.stringify(document()));
      const etag = `"${createHash("sha256").update(body).digest("base64url")}"`;
      response.setHeader("cache-control", "public, max-age=60, stale-if-error=86400");
      response.setHeader("etag", etag);
      if (request.headers["if-none-match"] === etag) {
        response.statusCode = 304;
        response.end();
        return;
      }
      response.setHeader("content-type", contentType);
      response.setHeader("content-length", body.length);
      if (request.method === "HEAD") response.end();
      else response.end(body);
    },
  };
}
