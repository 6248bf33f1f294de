import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse } from "../routes.ts";
import { sendCallError } from "./send-error.ts";

/** Answers where there is nothing: "unimplemented", in the form that the client reads. */
export function answerUnknownPath(request: HttpRequest, response: HttpResponse, path: string): void {
  const error = new ConnectError(`there is nothing at ${path.slice(0, 200)}`, Code.Unimplemented);
  sendCallError(request, response, error, 404);
}
