import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import type { HttpRoute } from "@kinora/rpc";
import { playerScriptPath } from "./player-page.ts";

const file = fileURLToPath(import.meta.resolve("hls.js/dist/hls.min.js"));

/** Serves hls.js to the player page, so that a page of ours asks nobody else for anything. */
export function playerScriptRoute(): HttpRoute {
  return {
    path: playerScriptPath,
    async handle(request, response) {
      response.setHeader("Content-Type", "text/javascript; charset=utf-8");
      response.setHeader("Content-Length", (await stat(file)).size);
      response.setHeader("Cache-Control", "public, max-age=86400");
      response.statusCode = 200;
      if (request.method === "GET") await pipeline(createReadStream(file), response);
      else response.end();
    },
  };
}
