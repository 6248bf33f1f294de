import { constants } from "node:http2";
import type { Limits } from "../limits.ts";
import type { HttpRequest, HttpResponse } from "../routes.ts";

/**
 * Ends a request whose client neither sends what it announced nor takes what it asked for. Nothing else limits how long a request with a
 * large body may take, so an upload of any size goes through as long as bytes move. While the client waits for us, it may wait as long as it likes.
 */
export function watchForStall(request: HttpRequest, response: HttpResponse, limits: Limits): void {
  // Where Node reports that nothing moved: the stream, or over HTTP/1.1 the response that the socket works on.
  const timed = "stream" in request ? request.stream : response;
  timed.on("timeout", () => {
    if (!request.complete || response.writableLength > 0) {
      cutOff(request);
    } else {
      timed.setTimeout(limits.stallMs);
    }
  });
  timed.setTimeout(limits.stallMs);

  response.once("finish", () => {
    if (!request.complete) {
      // Answered before the whole body came (its sender may not do this). What still comes is thrown away, but not for long.
      setTimeout(() => {
        if (!request.complete) {
          cutOff(request);
        }
      }, limits.lingerMs).unref();
    }
  });
}

function cutOff(request: HttpRequest): void {
  if ("stream" in request) {
    request.stream.close(constants.NGHTTP2_CANCEL);
  } else {
    request.socket.destroy();
  }
}
