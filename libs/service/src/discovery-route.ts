import type { HttpRoute } from "@kinora/rpc";

/** GET /.well-known/kinora: where the services are. */
export function discoveryRoute(_urls: { user: string; encoder: string }): HttpRoute {
  throw new Error("not there yet");
}
