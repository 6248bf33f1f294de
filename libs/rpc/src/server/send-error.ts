import type { ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import type { HttpResponse } from "../routes.ts";

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

/** Sends a small JSON document. */
export function sendJson(response: HttpResponse, status: number, value: object): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", body.length);
  response.setHeader("cache-control", "no-store");
  response.end(body);
}
