import type { Logger } from "../logger.ts";
import type { HttpRequest, HttpResponse } from "../routes.ts";
import { allowOrigins, answerPreflight } from "./cors.ts";
import type { DirectServer } from "./direct/direct-server.ts";
import { discardRest } from "./discard-rest.ts";
import type { Target } from "./router.ts";
import { serveCall } from "./serve-call.ts";
import { serveRoute } from "./serve-route.ts";
import { answerUnknownPath } from "./unknown-path.ts";

/** Gives each request to what answers its path. */
export type RequestListener = {
  listen(request: HttpRequest, response: HttpResponse): void;
  /** Requests that are not answered to the end. */
  underWay(): number;
};

/** Makes the listener that both versions of HTTP share. */
export function createRequestListener(
  find: (path: string) => Target,
  direct: DirectServer,
  logger: Logger,
): RequestListener {
  let underWay = 0;
  const closed = () => {
    underWay--;
  };

  function answer(request: HttpRequest, response: HttpResponse): Promise<void> | void {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const target = find(path);
    if (target === undefined) {
      answerUnknownPath(request, response, path);
      return;
    }
    if ("route" in target) {
      if (!("stream" in request) && !("stream" in response)) {
        discardRest(request, response);
      }
      return serveRoute(target.route, request, response, logger);
    }
    if (request.method === "OPTIONS") {
      answerPreflight(response);
      return;
    }
    if (!("stream" in request) && !("stream" in response)) {
      discardRest(request, response);
    }
    allowOrigins(response);
    return serveCall(target.call, request, response);
  }

  return {
    listen(request, response) {
      underWay++;
      // A broken connection shows in the response's "close"; without listeners its error would end the process.
      request.on("error", ignore);
      response.on("error", ignore);
      if (!("stream" in request) && !("stream" in response) && direct.onRequest(request, response, closed)) {
        return;
      }
      response.once("close", closed);
      answer(request, response)?.catch((error) => {
        logger.error({ err: error }, "request not answered");
        response.destroy();
      });
    },
    underWay: () => underWay,
  };
}

function ignore(): void {}
