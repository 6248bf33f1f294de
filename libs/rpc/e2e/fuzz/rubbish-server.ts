import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import {
  flag,
  frame,
  frameType,
  headerBlock,
  preface,
  readFrames,
  settings,
  uint32,
} from "../../src/testing/http2-frames.ts";
import { replyFields, statusFields } from "./headers.ts";
import { body, contentTypes } from "./messages.ts";
import { cut, mutate } from "./mutate.ts";
import type { Random } from "./random.ts";

/** A server that answers as chance has it. */
export type RubbishServer = {
  port: number;
  /** Connections that are open. */
  open(): number;
  /** From now on it chooses by this, and answers in this content type for the most part. */
  use(random: Random, type: string): void;
  /** What it has sent since. */
  sent(): Buffer;
  close(): void;
};

export async function startRubbishServer(): Promise<RubbishServer> {
  const sockets = new Set<Socket>();
  let random: Random | undefined;
  let type = "";
  let sent: Buffer[] = [];

  function send(socket: Socket, bytes: Buffer, chance: Random): void {
    sent.push(bytes);
    for (const piece of cut(bytes, chance)) {
      socket.write(piece);
    }
  }

  const server = createServer((socket) => {
    const chance = random;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    if (chance === undefined) {
      socket.destroy();
      return;
    }
    if (chance.chance(0.04)) {
      send(
        socket,
        chance.pick([chance.bytes(50), Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), Buffer.alloc(9)]),
        chance,
      );
    } else if (chance.chance(0.02)) {
      socket.destroy();
    } else {
      const first = settings(
        ...(chance.chance(0.9) ? [] : [[chance.int(1, 6), chance.pick([0, 1, 0x7fffffff, 0xffffffff])] as const]),
      );
      send(socket, frame(frameType.settings, 0, 0, first), chance);
    }
    let received = Buffer.alloc(0);
    let answered = preface.length;
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (const { type: kind, stream, payload } of readFrames(received.subarray(answered))) {
        answered += 9 + payload.length;
        if (kind === frameType.headers && !socket.destroyed) {
          answer(socket, stream, chance);
        }
      }
    });
  });

  function answer(socket: Socket, stream: number, chance: Random): void {
    const bytes = reply(stream, type, chance);
    send(socket, chance.chance(0.9) ? bytes : mutate(bytes, chance), chance);
    if (chance.chance(0.05)) {
      socket.end();
    } else if (chance.chance(0.03)) {
      socket.resetAndDestroy();
    }
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    open: () => sockets.size,
    use(next, answerType) {
      random = next;
      type = answerType;
      sent = [];
    },
    sent: () => Buffer.concat(sent),
    close() {
      server.close();
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  };
}

/** The frames of one reply. */
function reply(stream: number, type: string, random: Random): Buffer {
  const on = random.chance(0.97) ? stream : random.pick([0, 2, stream + 2]);
  const frames: Buffer[] = [];
  const ends = random.chance(0.08) ? flag.endStream : 0;
  if (random.chance(0.05)) {
    frames.push(frame(frameType.headers, flag.endHeaders, on, headerBlock([[":status", "103"]])));
  }
  if (random.chance(0.95)) {
    frames.push(frame(frameType.headers, flag.endHeaders | ends, on, headerBlock(replyFields(type, random))));
  }
  for (let count = random.pick([0, 1, 1, 1, 2]); count > 0; count--) {
    const data = body(random.chance(0.9) ? type : random.pick(contentTypes), random).subarray(0, 16_000);
    frames.push(frame(frameType.data, random.chance(0.3) ? flag.endStream : 0, on, data));
  }
  if (random.chance(0.7)) {
    const status = headerBlock(statusFields(random));
    frames.push(frame(frameType.headers, flag.endHeaders | (random.chance(0.95) ? flag.endStream : 0), on, status));
  }
  if (random.chance(0.1)) {
    const at = random.int(0, frames.length);
    frames.splice(
      at,
      0,
      random.pick([
        frame(frameType.rstStream, 0, on, uint32(random.int(0, 14))),
        frame(frameType.goaway, 0, 0, Buffer.concat([uint32(random.int(0, 9)), uint32(random.int(0, 14))])),
        frame(frameType.ping, random.int(0, 1), 0, random.bytes(8)),
        frame(frameType.pushPromise, flag.endHeaders, on, uint32(2)),
        frame(frameType.windowUpdate, 0, on, uint32(random.pick([0, 1, 0x7fffffff]))),
        frame(random.int(0, 255), random.int(0, 255), on, random.bytes(20)),
      ]),
    );
  }
  return Buffer.concat(frames);
}
