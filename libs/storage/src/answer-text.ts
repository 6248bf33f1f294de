import type { HttpRequest, HttpResponse } from "./http-message.ts";

/** Ends a response with a status and a sentence. */
export function answerText(request: HttpRequest, response: HttpResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(text) + 1);
  response.end(request.method === "HEAD" ? "" : `${text}\n`);
}
