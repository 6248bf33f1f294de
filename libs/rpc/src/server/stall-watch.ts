import type { IncomingMessage } from "node:http";
import { constants, type Http2ServerRequest } from "node:http2";
import type { Limits } from "../limits.ts";
import type { HttpRequest, HttpResponse } from "../routes.ts";

/**
 * Ends a request whose client neither sends what it announced nor takes what it asked for. Nothing else limits how long a request with a
 * large body may take, so an upload of any size goes through as long as bytes move. While the client waits for us, it may wait as long as it likes.
 * Returns what ends the watch, to be called once the response is closed.
 */
export function watchForStall(request: HttpRequest, response: HttpResponse, limits: Limits): () => void {
  const stop = "stream" in request ? watchStream(request, response, limits) : watchSocket(request, response, limits);
  response.once("finish", () => {
    if (!hasArrived(request)) {
      // Answered before the whole body came (its sender may not do this). What still comes is thrown away, but not for long.
      setTimeout(() => {
        if (!hasArrived(request)) {
          cutOff(request);
        }
      }, limits.lingerMs).unref();
    }
  });
  return stop;
}

function watchStream(request: Http2ServerRequest, response: HttpResponse, limits: Limits): () => void {
  const { stream } = request;
  // Starts again with every byte that moves on the stream, and fires once.
  stream.setTimeout(limits.stallMs);
  stream.on("timeout", () => {
    if (owesBody(request) || response.writableLength > 0) {
      cutOff(request);
    } else {
      stream.setTimeout(limits.stallMs);
    }
  });
  return () => stream.setTimeout(0);
}

function watchSocket(request: IncomingMessage, response: HttpResponse, limits: Limits): () => void {
  const { socket } = request;
  // Both ways apart: a client that sends a byte now and then isn't taking its answer. (Node's own timer doesn't tell them apart.)
  const moved = () => ({ received: socket.bytesRead, sent: socket.bytesWritten - socket.writableLength });
  let before = moved();
  const timer = setInterval(() => {
    const now = moved();
    const bodyStalled = owesBody(request) && now.received === before.received;
    const answerStalled = response.writableLength > 0 && now.sent === before.sent;
    before = now;
    if (bodyStalled || answerStalled) {
      cutOff(request);
    }
  }, limits.stallMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Whether the client still has to send, rather than we to read what it has sent. */
function owesBody(request: HttpRequest): boolean {
  return !hasArrived(request) && request.readableLength === 0;
}

function hasArrived(request: HttpRequest): boolean {
  if ("stream" in request) {
    // `complete` also waits until somebody has read the body.
    return request.stream.destroyed || request.stream.state.remoteClose === 1;
  }
  return request.complete;
}

function cutOff(request: HttpRequest): void {
  if ("stream" in request) {
    request.stream.close(constants.NGHTTP2_CANCEL);
  } else {
    request.socket.destroy();
  }
}
