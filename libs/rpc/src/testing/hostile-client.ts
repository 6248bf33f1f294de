import { channel } from "node:diagnostics_channel";
import type { EventEmitter } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { streamClosed, streamCreated } from "../http2/connection.ts";
import { flag, frame, frameType, headerBlock, preface, settings } from "./http2-frames.ts";

export const echoPath = "/kinora.testing.v1.EchoService/Echo";
export const countPath = "/kinora.testing.v1.EchoService/Count";

/** A connection whose errors are expected. */
export function open(port: number): Socket {
  return connect(port, "127.0.0.1").on("error", () => {});
}

/** Settles when it is closed, cleanly or not. (`events.once` would reject on the way.) */
export function closed(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.once("close", () => resolve()));
}

/** Everything that comes until the server ends the connection. */
export async function untilClosed(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await closed(socket);
  return Buffer.concat(chunks);
}

/** A connection that has sent the preface and empty SETTINGS, and whatever else is given. */
export function openHttp2(port: number, ...frames: Uint8Array[]): Socket {
  const socket = open(port);
  socket.write(Buffer.concat([preface, frame(frameType.settings, 0, 0, settings()), ...frames]));
  return socket;
}

/** HEADERS of a call that posts to `path`. */
export function callHeaders(
  stream: number,
  path = echoPath,
  type = "application/grpc",
  flags = flag.endHeaders,
): Buffer {
  const block = headerBlock([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "test"],
    ["content-type", type],
    ["te", "trailers"],
  ]);
  return frame(frameType.headers, flags, stream, block);
}

/** A gRPC envelope. `length` is what it says of its length, if not the truth. */
export function envelope(message: Uint8Array, flags = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** How long this waits for what must happen, in milliseconds: on a machine with other work anything takes seconds. */
const patienceMs = 20_000;

/** Fails unless the server at `url` answers. */
export async function expectService(url: string): Promise<void> {
  const response = await fetch(url + echoPath, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: '{"text":"still here"}',
    signal: AbortSignal.timeout(patienceMs),
  });
  const answer = await response.text();
  if (response.status !== 200 || !answer.includes("still here")) {
    throw new Error(`the server answers ${response.status} ${answer}`);
  }
}

/** What this process holds open: sockets of either side, and HTTP/2 streams of servers, of which `total` have been there so far. */
export type Resources = { sockets: number; streams: number; total: number };

/** Counts what is opened from now on. */
export function countResources(): { now(): Resources; settled(): Promise<void> } & Disposable {
  let [streams, total] = [0, 0];
  const created = () => {
    streams++;
    total++;
  };
  const ended = () => {
    streams--;
  };
  channel(streamCreated).subscribe(created);
  channel(streamClosed).subscribe(ended);
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
  const before = sockets();
  const now = () => ({ sockets: sockets() - before, streams, total });
  return {
    now,
    /** Waits until all of it is closed again; throws after 20 s. */
    async settled() {
      await until("everything is closed again", () => now().sockets <= 0 && streams === 0);
    },
    [Symbol.dispose]() {
      channel(streamCreated).unsubscribe(created);
      channel(streamClosed).unsubscribe(ended);
    },
  };
}

/** Waits until `condition` holds; throws after 20 s. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (const end = performance.now() + patienceMs; !condition(); ) {
    if (performance.now() > end) {
      throw new Error(`waited in vain until ${what}`);
    }
    await sleep(20);
  }
}
