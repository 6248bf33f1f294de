import type { HttpRequest, HttpResponse } from "./serve-object.ts";

/** Ends a response with a status and a sentence. */
export function answerText(request: HttpRequest, response: HttpResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(text) + 1);
  // An unread body (of HTTP/1.1) would have to be read to its end before the connection could be used again.
  if (request.httpVersionMajor === 1 && !request.complete) response.setHeader("Connection", "close");
  response.end(request.method === "HEAD" ? "" : `${text}\n`);
}
