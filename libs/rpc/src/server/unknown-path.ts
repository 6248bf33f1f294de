import { Code, ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { HttpRequest, HttpResponse } from "../routes.ts";
import { sendError } from "./send-error.ts";

/** Answers where there is nothing: "unimplemented", in the form that the client reads. */
export function answerUnknownPath(request: HttpRequest, response: HttpResponse, path: string): void {
  const error = new ConnectError(`there is nothing at ${path.slice(0, 200)}`, Code.Unimplemented);
  const type = request.headers["content-type"];
  if (type?.startsWith("application/grpc")) {
    response.statusCode = 200;
    for (const [name, value] of setTrailerStatus(new Headers({ "content-type": type }), error)) {
      response.setHeader(name, value);
    }
    response.end();
    return;
  }
  sendError(response, error, 404);
}
