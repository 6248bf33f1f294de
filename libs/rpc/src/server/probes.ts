import type { HttpRequest, HttpResponse, HttpRoute } from "../routes.ts";
import type { Readiness } from "./readiness.ts";
import { sendJson } from "./send-error.ts";

/** A route whose requests are logged at debug only. */
export type QuietRoute = HttpRoute & { quiet: true };

/** `/healthz`: the process answers. `/readyz`: it can take calls, otherwise 503 with the reason. Both as `{"status": …}`. */
export function createProbes(readiness: Readiness): QuietRoute[] {
  return [probe("/healthz", async () => undefined), probe("/readyz", () => readiness.problem())];
}

function probe(path: string, problem: () => Promise<string | undefined>): QuietRoute {
  return {
    path,
    quiet: true,
    async handle(request: HttpRequest, response: HttpResponse) {
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("allow", "GET, HEAD");
        sendJson(response, 405, { status: "method not allowed" });
        return;
      }
      const reason = await problem();
      if (reason === undefined) {
        sendJson(response, 200, { status: "ok" });
      } else {
        sendJson(response, 503, { status: "unavailable", reason });
      }
    },
  };
}
