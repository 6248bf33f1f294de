import type { ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { HttpRequest, HttpResponse } from "../routes.ts";

/** Sends an error outside of any RPC as JSON in the form of the Connect protocol: `{"code": …, "message": …}`. */
export function sendError(response: HttpResponse, error: ConnectError, status = codeToHttpStatus(error.code)): void {
  if (response.headersSent) {
    // Too late to say anything but that the response is broken.
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) {
    response.removeHeader(name);
  }
  error.metadata.forEach((value, name) => {
    response.setHeader(name, value);
  });
  sendJson(response, status, { code: codeToString(error.code), message: error.rawMessage });
}

/** Sends an error in place of an RPC's answer, in the form that its client reads: gRPC's and gRPC-Web's look for a status in the headers. */
export function sendCallError(
  request: HttpRequest,
  response: HttpResponse,
  error: ConnectError,
  status?: number,
): void {
  const type = request.headers["content-type"];
  if (!type?.startsWith("application/grpc") || response.headersSent) {
    sendError(response, error, status);
    return;
  }
  response.statusCode = 200;
  for (const [name, value] of setTrailerStatus(new Headers({ "content-type": type }), error)) {
    response.setHeader(name, value);
  }
  response.end();
}

/** Sends a small JSON document. */
export function sendJson(response: HttpResponse, status: number, value: object): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", body.length);
  response.setHeader("cache-control", "no-store");
  response.end(body);
}
