import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { benchRoutes } from "./bench-routes.ts";
import { listen, type RunningServer } from "./running-server.ts";

/** Stock connect-node as its documentation shows it. */
export function start(httpVersion: "1.1" | "2"): Promise<RunningServer> {
  const handle = connectNodeAdapter({ routes: benchRoutes() });
  return listen(httpVersion === "2" ? createHttp2Server(handle) : createHttp1Server(handle));
}
