import { connect as connectHttp2, constants } from "node:http2";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { EchoRequestSchema } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  callHeaders,
  closed,
  countResources,
  echoPath,
  envelope,
  expectService,
  open,
  openHttp2,
  until,
  untilClosed,
} from "../../testing/hostile-client.ts";
import {
  type Frame,
  flag,
  frame,
  frameType,
  headerBlock,
  preface,
  readFrames,
  settings,
  uint32,
} from "../../testing/http2-frames.ts";
import { startServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close(0));

let resources: ReturnType<typeof countResources>;
beforeEach(() => {
  resources = countResources();
});
afterEach(async () => {
  await expectService(server.url);
  await resources.settled();
  resources[Symbol.dispose]();
});

const call: [string, string][] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", echoPath],
  [":authority", "test"],
  ["content-type", "application/grpc"],
];
const headers = (stream: number, fields: readonly (readonly [string, string])[], flags = flag.endHeaders) =>
  frame(frameType.headers, flags, stream, headerBlock(fields));

const body = frame(
  frameType.data,
  flag.endStream,
  1,
  envelope(toBinary(EchoRequestSchema, create(EchoRequestSchema, { text: "hello" }))),
);
const answers = ({ type, stream }: Frame) =>
  stream === 1 && (type === frameType.rstStream || type === frameType.headers);

/** Sends frames and waits for the one that is looked for. */
async function answerTo(frames: Uint8Array[], wanted: (frame: Frame) => boolean): Promise<Frame> {
  const socket = openHttp2(server.port, ...frames);
  let received = Buffer.alloc(0);
  let found: Frame | undefined;
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    found ??= readFrames(received).find(wanted);
  });
  await until("the answer is here", () => found !== undefined || socket.destroyed);
  socket.destroy();
  if (found === undefined) {
    throw new Error("the connection ended without it");
  }
  return found;
}

describe("frames that break the protocol end their connection", () => {
  it.each<[string, Uint8Array]>([
    ["DATA on stream 0", frame(frameType.data, 0, 0, Buffer.from("x"))],
    ["DATA on a stream that isn't open", frame(frameType.data, 0, 1, Buffer.from("x"))],
    ["HEADERS on stream 0", headers(0, call)],
    ["HEADERS on a stream of the server's", headers(2, call)],
    ["HEADERS that depend on themselves and end within", frame(frameType.headers, flag.priority, 1, Buffer.alloc(3))],
    ["padding beyond the frame", frame(frameType.data, flag.padded, 1, Buffer.from([200, 1]))],
    ["a header block that isn't HPACK", frame(frameType.headers, flag.endHeaders, 1, Buffer.alloc(20, 0xff))],
    ["CONTINUATION of nothing", frame(frameType.continuation, flag.endHeaders, 1)],
    ["DATA within a header block", Buffer.concat([headers(1, call, 0), frame(frameType.data, 0, 1)])],
    ["PUSH_PROMISE", frame(frameType.pushPromise, flag.endHeaders, 1, uint32(2))],
    ["RST_STREAM of a stream that isn't open", frame(frameType.rstStream, 0, 1, uint32(8))],
    ["RST_STREAM of 3 bytes", frame(frameType.rstStream, 0, 1, Buffer.alloc(3))],
    ["PING of 7 bytes", frame(frameType.ping, 0, 0, Buffer.alloc(7))],
    ["PING on a stream", frame(frameType.ping, 0, 1, Buffer.alloc(8))],
    ["SETTINGS of 5 bytes", frame(frameType.settings, 0, 0, Buffer.alloc(5))],
    ["SETTINGS on a stream", frame(frameType.settings, 0, 1)],
    ["an acknowledgement with content", frame(frameType.settings, flag.ack, 0, settings([4, 1]))],
    ["a window beyond 31 bits", frame(frameType.settings, 0, 0, settings([4, 0x80000000]))],
    ["a frame size below the least", frame(frameType.settings, 0, 0, settings([5, 1]))],
    ["WINDOW_UPDATE by nothing", frame(frameType.windowUpdate, 0, 0, uint32(0))],
    ["WINDOW_UPDATE beyond 31 bits", frame(frameType.windowUpdate, 0, 0, uint32(0x7fffffff))],
    ["WINDOW_UPDATE of 3 bytes", frame(frameType.windowUpdate, 0, 0, Buffer.alloc(3))],
    ["GOAWAY of 7 bytes", frame(frameType.goaway, 0, 0, Buffer.alloc(7))],
    ["a frame of 16 MB", frame(frameType.data, 0, 1, Buffer.alloc(100), 0xffffff)],
  ])("%s", async (_name, bytes) => {
    const frames = readFrames(await untilClosed(openHttp2(server.port, bytes)));
    const goaway = frames.find(({ type }) => type === frameType.goaway);
    expect(goaway?.payload.readUInt32BE(4)).toBeGreaterThan(0);
  });

  it("anything but SETTINGS first", async () => {
    const socket = open(server.port);
    socket.write(Buffer.concat([preface, frame(frameType.ping, 0, 0, Buffer.alloc(8))]));
    const frames = readFrames(await untilClosed(socket));
    expect(frames.map(({ type }) => type)).toContain(frameType.goaway);
  });

  it("frames of kinds that nobody knows don't", async () => {
    const ack = ({ type, flags }: Frame) => type === frameType.ping && (flags & flag.ack) !== 0;
    await answerTo([frame(0xbe, 0xff, 1, Buffer.from("grease")), frame(frameType.ping, 0, 0, Buffer.alloc(8))], ack);
  });
});

describe("headers that break the protocol reset their stream, not the connection", () => {
  const without = (name: string) => call.filter(([key]) => key !== name);
  it.each<[string, readonly (readonly [string, string])[]]>([
    ["a name in capitals", [...call, ["X-Loud", "1"]]],
    ["no path", without(":path")],
    ["no method", without(":method")],
    ["two paths", [...call.slice(0, 4), [":path", "/"], ...call.slice(4)]],
    ["a pseudo-header that nobody knows", [[":mood", "bad"], ...call]],
    ["a pseudo-header after others", [...without(":path"), [":path", "/"]]],
    ["a header of HTTP/1.1", [...call, ["connection", "keep-alive"]]],
    ["te with anything but trailers", [...call, ["te", "gzip"]]],
    ["a length that isn't one", [...call, ["content-length", "many"]]],
  ])("%s", async (_name, fields) => {
    const { type, payload } = await answerTo([headers(1, fields), body], answers);
    expect(type).toBe(frameType.rstStream);
    expect(payload.readUInt32BE()).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
  });

  it.each<[string, [string, string]]>([
    ["a name that is none", ["a b", "1"]],
    ["a value with a line break", ["x-note", "a\r\nb: c"]],
    ["a value with a zero", ["x-note", "a\0b"]],
  ])("%s is left out", async (_name, field) => {
    expect((await answerTo([headers(1, [...call, field]), body], answers)).type).toBe(frameType.headers);
  });

  it("more content than its length says", async () => {
    const bytes = [headers(1, [...call, ["content-length", "3"]]), frame(frameType.data, 0, 1, Buffer.alloc(10))];
    await answerTo(bytes, ({ type }) => type === frameType.rstStream || type === frameType.goaway);
  });

  it("more of them than there may be, in any number of frames", async () => {
    const many = Array.from({ length: 1000 }, (_, i): [string, string] => [`x-${i}`, "1"]);
    await answerTo(
      [headers(1, [...call, ...many])],
      ({ type }) => type === frameType.rstStream || type === frameType.goaway,
    );
  });
});

describe("floods", () => {
  /** Writes a piece over and over until the server ends the connection. If it hasn't after `pieces`, that's an error. */
  async function flood(socket: Socket, pieces: number, piece: (i: number) => Uint8Array): Promise<void> {
    const gone = closed(socket);
    for (let i = 0; i < pieces && !socket.destroyed; i++) {
      if (!socket.write(piece(i))) {
        await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), gone, sleep(200)]);
      }
    }
    socket.resume();
    const late = sleep(5_000, "late");
    if ((await Promise.race([gone, late])) === "late") {
      socket.destroy();
      throw new Error("the server bears it");
    }
  }

  it("of CONTINUATION end the connection", async () => {
    const socket = openHttp2(server.port, headers(1, call, 0));
    socket.resume();
    const block = headerBlock([["x-more", "y".repeat(100)]]);
    await flood(socket, 100_000, () => frame(frameType.continuation, 0, 1, block));
  });

  it("of empty CONTINUATION end the connection", async () => {
    const socket = openHttp2(server.port, headers(1, call, 0));
    socket.resume();
    await flood(socket, 100_000, () => frame(frameType.continuation, 0, 1));
  });

  it("of empty DATA end the connection", async () => {
    const socket = openHttp2(server.port, callHeaders(1));
    socket.resume();
    await flood(socket, 100_000, () => frame(frameType.data, 0, 1));
  });

  it.each([
    ["SETTINGS", frame(frameType.settings, 0, 0, settings([4, 65_535]))],
    ["PING", frame(frameType.ping, 0, 0, Buffer.alloc(8))],
  ])("of %s whose answers nobody takes end the connection", async (_name, bytes) => {
    const socket = openHttp2(server.port);
    socket.pause();
    const piece = Buffer.concat(Array.from({ length: 1000 }, () => bytes));
    await flood(socket, 2000, () => piece);
  });

  it("of calls that are reset at once end the connection", async () => {
    const session = connectHttp2(server.url);
    session.on("error", () => {});
    const gone = closed(session);
    for (let i = 0; i < 20_000 && !session.destroyed; i++) {
      const stream = session.request({ ":method": "POST", ":path": echoPath, "content-type": "application/grpc" });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
      if (i % 100 === 0) {
        await sleep(0);
      }
    }
    await gone;
  });

  it("of calls that make the server reset them end the connection", async () => {
    const socket = openHttp2(server.port);
    socket.resume();
    await flood(socket, 50_000, (i) =>
      Buffer.concat([callHeaders(2 * i + 1), frame(frameType.windowUpdate, 0, 2 * i + 1, uint32(0))]),
    );
  });

  it("of tiny DATA frames are but a slow call", async () => {
    const text = "x".repeat(100_000);
    const message = envelope(toBinary(EchoRequestSchema, create(EchoRequestSchema, { text })));
    const tiny = Array.from(message, (_, i) => frame(frameType.data, 0, 1, message.subarray(i, i + 1)));
    const last = frame(frameType.data, flag.endStream, 1);
    const open = frame(frameType.windowUpdate, 0, 0, uint32(1_000_000));
    const wide = frame(frameType.settings, 0, 0, settings([4, 1_000_000]));
    // Within its windows: more would break the protocol.
    const trailers = await answerTo(
      [wide, open, callHeaders(1), ...tiny, last],
      ({ type, stream, flags }) => stream === 1 && type === frameType.headers && (flags & flag.endStream) !== 0,
    );
    expect(trailers.payload.length).toBeGreaterThan(0);
  });
});
