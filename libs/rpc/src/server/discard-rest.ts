import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Reads on after the answer, and throws away what comes: whoever reads a body and stops halfway leaves the connection's next request waiting behind the rest of it.
 * How long a client may go on sending is the stall watch's business.
 */
export function discardRest(request: IncomingMessage, response: ServerResponse): void {
  response.once("finish", () => {
    if (!request.complete) {
      // An iterator that nobody turns any more holds the flow. Once its listener is gone, one for "data" starts it (resume() wouldn't).
      request.removeAllListeners("readable");
      request.on("data", () => {});
    }
  });
}
