import type { HttpRoute } from "@kinora/rpc";
import { filesRoute } from "@kinora/service";
import { consoleFolder, consolePage, consolePolicy } from "./console-page.ts";

/** The page's files. Browsers run them as they are: there is no build. Addresses stand here in full, since bundles find the files by them. */
const files: ReadonlyMap<string, string> = new Map([
  ["console.css", new URL("./browser/console.css", import.meta.url).href],
  ["calls.js", new URL("./browser/calls.js", import.meta.url).href],
  ["describe.js", new URL("./browser/describe.js", import.meta.url).href],
  ["main.js", new URL("./browser/main.js", import.meta.url).href],
  ["sender.js", new URL("./browser/sender.js", import.meta.url).href],
  ["sign-in.js", new URL("./browser/sign-in.js", import.meta.url).href],
  ["tus.js", new URL("./browser/tus.js", import.meta.url).href],
  ["video-list.js", new URL("./browser/video-list.js", import.meta.url).href],
]);

/**
 * The page at `/` and its files. It calls `user.v1` and `encoder.v1` at its own origin, as any client does, so it is for a server that has both; the browser's cookie is the refresh
 * token's (docs/identity.md).
 */
export function consoleRoutes(): HttpRoute[] {
  return [
    {
      path: "/",
      async handle(request, response) {
        if (request.method !== "GET" && request.method !== "HEAD") {
          response.statusCode = 405;
          response.setHeader("Allow", "GET, HEAD");
          response.setHeader("Content-Length", 0);
          response.end();
          return;
        }
        response.statusCode = 200;
        response.setHeader("Content-Type", "text/html; charset=utf-8");
        response.setHeader("Content-Length", Buffer.byteLength(consolePage));
        response.setHeader("Content-Security-Policy", consolePolicy);
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("Referrer-Policy", "no-referrer");
        response.setHeader("Cache-Control", "no-cache");
        response.end(request.method === "HEAD" ? "" : consolePage);
      },
    },
    filesRoute({ folder: consoleFolder, files }),
  ];
}
