import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { HttpRoute } from "@kinora/rpc";

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** Seconds for which a file is kept: it fits the page of its own release, so not for longer than that. */
const defaultKeepSeconds = 5;

/**
 * Serves the scripts and style sheets of a page, so that a page of ours asks nobody else for anything. `folder` begins and ends with "/"; `files` has their `file:` addresses by name, `keepSeconds`
 * those that may be kept for longer. What isn't named there is answered with 404.
 */
export function filesRoute(options: {
  folder: string;
  files: ReadonlyMap<string, string>;
  keepSeconds?: Readonly<Record<string, number>>;
}): HttpRoute {
  const { folder, files, keepSeconds = {} } = options;
  return {
    path: folder,
    async handle(request, response) {
      const name = new URL(request.url ?? "", "http://host").pathname.slice(folder.length);
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
      response.setHeader("Cache-Control", `public, max-age=${keepSeconds[name] ?? defaultKeepSeconds}`);
      response.setHeader("X-Content-Type-Options", "nosniff");
      response.statusCode = 200;
      response.end(request.method === "GET" ? body : "");
    },
  };
}
