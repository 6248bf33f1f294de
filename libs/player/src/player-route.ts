import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { HttpRoute } from "@kinora/rpc";

/** Where the page finds its files. */
export const playerFolder = "/player/";

/** The page's files. Browsers run them as they are: there is no build. Addresses stand here in full, since bundles find the files by them. */
const files: ReadonlyMap<string, string> = new Map([
  ["hls.js", import.meta.resolve("hls.js/dist/hls.min.js")],
  ["player.css", new URL("./browser/player.css", import.meta.url).href],
  ["main.js", new URL("./browser/main.js", import.meta.url).href],
  ["controls.js", new URL("./browser/controls.js", import.meta.url).href],
  ["notice.js", new URL("./browser/notice.js", import.meta.url).href],
  ["pace.js", new URL("./browser/pace.js", import.meta.url).href],
  ["status.js", new URL("./browser/status.js", import.meta.url).href],
  ["storyboard.js", new URL("./browser/storyboard.js", import.meta.url).href],
  ["stream.js", new URL("./browser/stream.js", import.meta.url).href],
  ["time.js", new URL("./browser/time.js", import.meta.url).href],
]);

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** Serves the page's files, so that a page of ours asks nobody else for anything. */
export function playerRoute(): HttpRoute {
  return {
    path: playerFolder,
    async handle(request, response) {
      const name = new URL(request.url ?? "", "http://host").pathname.slice(playerFolder.length);
      const url = files.get(name);
      if (url === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
        response.statusCode = url === undefined ? 404 : 405;
        response.setHeader("Content-Length", 0);
        if (url !== undefined) response.setHeader("Allow", "GET, HEAD");
        response.end();
        return;
      }
      const body = await readFile(fileURLToPath(url));
      response.setHeader("Content-Type", types[extname(name)] ?? "application/octet-stream");
      response.setHeader("Content-Length", body.length);
      // The files fit the page of their own release, so they aren't kept for longer than the page.
      response.setHeader("Cache-Control", name === "hls.js" ? "public, max-age=86400" : "public, max-age=5");
      response.setHeader("X-Content-Type-Options", "nosniff");
      response.statusCode = 200;
      response.end(request.method === "GET" ? body : "");
    },
  };
}
