import type { HttpRoute } from "@kinora/rpc";

/** `GET /.well-known/kinora`: where an installation's services are, as `{"user": <url>, "encoder": <url>}`, for programs that know one of them. */
export function discoveryRoute(urls: { user: string; encoder: string }): HttpRoute {
  const body = Buffer.from(`${JSON.stringify({ user: urls.user, encoder: urls.encoder })}\n`);
  return {
    path: "/.well-known/kinora",
    async handle(request, response) {
      response.setHeader("access-control-allow-origin", "*");
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("allow", "GET, HEAD");
        response.statusCode = 405;
        response.end();
        return;
      }
      response.setHeader("content-type", "application/json");
      response.setHeader("content-length", body.length);
      response.setHeader("cache-control", "max-age=60");
      response.end(request.method === "HEAD" ? "" : body);
    },
  };
}
