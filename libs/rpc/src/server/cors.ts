import { cors } from "@connectrpc/connect";
import { traceparentHeader } from "../call/trace.ts";
import type { HttpResponse } from "../routes.ts";

// Credentials are bearer tokens in a header that only the page's own code can set, never cookies, so any origin may call.
const allowedHeaders = [...cors.allowedHeaders, "Authorization", traceparentHeader].join(", ");
const exposedHeaders = [...cors.exposedHeaders, "Retry-After", "WWW-Authenticate"].join(", ");

/** What lets scripts of any page read the answer to a call: names and values in turn. */
export const corsHeaders: readonly string[] = [
  "access-control-allow-origin",
  "*",
  "access-control-expose-headers",
  exposedHeaders,
];

/** Lets scripts of any page read the answer to a call. */
export function allowOrigins(response: HttpResponse): void {
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-expose-headers", exposedHeaders);
}

/** Answers a browser's question whether a page may make a call. */
export function answerPreflight(response: HttpResponse): void {
  allowOrigins(response);
  response.setHeader("access-control-allow-methods", cors.allowedMethods.join(", "));
  response.setHeader("access-control-allow-headers", allowedHeaders);
  response.setHeader("access-control-max-age", "7200");
  response.statusCode = 204;
  response.end();
}
