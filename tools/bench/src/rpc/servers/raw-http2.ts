import { createServer, type ServerHttp2Stream } from "node:http2";
import { grpcFrame, responseMessage, watchMessage } from "../messages.ts";
import { listen, type RunningServer } from "./running-server.ts";

/** Answers every call with the same bytes, with as little as Node can do: `respond` and `end`, the request's body unread. */
export function startConstant(payloadBytes: number): Promise<RunningServer> {
  const answer = grpcFrame(responseMessage(payloadBytes));
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    if (payloadBytes > 1000) {
      // What isn't read would stop the sender once the flow-control window is full.
      stream.resume();
    }
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "0" });
    stream.end(answer);
  });
  return listen(server);
}

/** The same with the exchange of a real call: the body read, the status in trailers. Answers Connect unary calls too. */
export function startExchange(payloadBytes: number): Promise<RunningServer> {
  const message = responseMessage(payloadBytes);
  const answer = grpcFrame(message);
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      if (headers["content-type"] === "application/proto") {
        stream.respond({ ":status": 200, "content-type": "application/proto" });
        stream.end(message);
      } else {
        answerGrpc(stream, answer);
      }
    });
  });
  return listen(server);
}

function answerGrpc(stream: ServerHttp2Stream, answer: Buffer): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(answer);
}

/** Streams `count` messages with `payloadBytes` each, as fast as the connection takes them. */
export function startStream(count: number, payloadBytes: number): Promise<RunningServer> {
  const frame = grpcFrame(watchMessage(payloadBytes));
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    let left = count;
    stream.on("error", () => {});
    stream.resume();
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const write = () => {
      while (left > 0) {
        left--;
        if (!stream.write(frame)) {
          stream.once("drain", write);
          return;
        }
      }
      stream.end();
    };
    write();
  });
  return listen(server);
}
