import type { ServerResponse } from "node:http";

/** Sends a whole response. */
export function answer(response: ServerResponse, status: number, body = ""): void {
  response.statusCode = status;
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(response.req.method === "HEAD" ? undefined : body);
}
