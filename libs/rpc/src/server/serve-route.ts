import { Code, type ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { runInCall } from "../call/call-scope.ts";
import { toConnectError } from "../call/error-mapper.ts";
import { startSpan, traceparentHeader } from "../call/trace.ts";
import type { Logger } from "../logger.ts";
import type { HttpRequest, HttpResponse, HttpRoute } from "../routes.ts";
import { sendError } from "./send-error.ts";

/** Runs a plain HTTP route: within a trace, with its errors answered, and with a line in the access log (probes and other GETs of state at debug). */
export async function serveRoute(
  route: HttpRoute & { quiet?: boolean },
  request: HttpRequest,
  response: HttpResponse,
  logger: Logger,
): Promise<void> {
  const started = performance.now();
  const header = request.headers[traceparentHeader];
  const trace = startSpan(typeof header === "string" ? header : undefined);
  const scope = { trace, deadline: undefined, ended: false };
  response.once("close", () => {
    scope.ended = true;
    const fields = {
      method: `${request.method} ${route.path}`,
      code: response.writableFinished ? response.statusCode : codeToString(Code.Canceled),
      ms: Math.round((performance.now() - started) * 10) / 10,
      protocol: `http/${request.httpVersion}`,
      trace: trace.traceId,
      span: trace.spanId,
    };
    if (route.quiet) {
      logger.debug(fields, "request");
    } else {
      logger.info(fields, "request");
    }
  });
  try {
    await runInCall(scope, () => route.handle(request, response));
  } catch (thrown) {
    const { error, unexpected } = toConnectError(thrown, scope);
    if (unexpected && !response.destroyed) {
      logger.error(
        { err: thrown, method: `${request.method} ${route.path}`, trace: trace.traceId },
        "request failed unexpectedly",
      );
    }
    answer(response, error);
  }
}

function answer(response: HttpResponse, error: ConnectError): void {
  if (response.writableEnded || response.destroyed) {
    return;
  }
  sendError(response, error);
}
