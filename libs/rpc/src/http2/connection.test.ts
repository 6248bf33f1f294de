import { once } from "node:events";
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callHeaders, closed, echoPath, openHttp2, until, untilClosed } from "../testing/hostile-client.ts";
import {
  type Frame,
  flag,
  frame,
  frameType,
  headerBlock,
  readFrames,
  settings,
  uint32,
} from "../testing/http2-frames.ts";
import { startServer, type TestServer } from "../testing/start-server.ts";

/** More than the buffers of both sides' sockets hold. */
const hugeBytes = 24_000_000;

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    limits: { streamsPerConnection: 4 },
    http: [
      {
        path: "/long",
        async handle(_request, response) {
          response.end("x".repeat(300_000));
        },
      },
      {
        path: "/huge",
        async handle(_request, response) {
          response.end(Buffer.alloc(hugeBytes, "x"));
        },
      },
      {
        path: "/held",
        async handle(request, response) {
          await once(request, "close");
          response.end();
        },
      },
    ],
  });
});
afterAll(() => server.close(0));

const get = (stream: number, path: string) => {
  const fields: [string, string][] = [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "test"],
  ];
  return frame(frameType.headers, flag.endHeaders | flag.endStream, stream, headerBlock(fields));
};

/** A connection, and the frames that have come on it. */
function start(...frames: Uint8Array[]) {
  const socket = openHttp2(server.port, ...frames);
  let received = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  return { socket, frames: (wanted: (frame: Frame) => boolean) => readFrames(received).filter(wanted) };
}

const bytesOf = (frames: Frame[]) => frames.reduce((sum, { payload }) => sum + payload.length, 0);
const dataOf = (id: number) => (found: Frame) => found.stream === id && found.type === frameType.data;

describe("what goes out", () => {
  it("keeps to the windows of streams and of the connection", async () => {
    const { socket, frames } = start(get(1, "/long"), get(3, "/long"));
    const both = () => bytesOf(frames(({ type }) => type === frameType.data));
    await until("the connection's window is used up", () => both() === 65_535);
    socket.write(frame(frameType.windowUpdate, 0, 0, uint32(1_000_000)));
    await until("the streams' windows are", () => both() === 2 * 65_535);
    expect(bytesOf(frames(dataOf(1)))).toBe(65_535);
    socket.write(frame(frameType.windowUpdate, 0, 3, uint32(1_000_000)));
    await until("one has ended", () => frames(({ stream, flags }) => stream === 3 && (flags & 1) !== 0).length > 0);
    expect(bytesOf(frames(dataOf(3)))).toBe(300_000);
    expect(bytesOf(frames(dataOf(1)))).toBe(65_535);
    // Wider for all streams at once, by the settings.
    socket.write(frame(frameType.settings, 0, 0, settings([4, 1_000_000])));
    await until("the other has, too", () => bytesOf(frames(dataOf(1))) === 300_000);
    socket.destroy();
  });

  it("waits for a window that has become smaller than what was sent", async () => {
    const { socket, frames } = start(get(1, "/long"));
    await until("the window is used up", () => bytesOf(frames(dataOf(1))) === 65_535);
    const narrow = frame(frameType.settings, 0, 0, settings([4, 100]));
    socket.write(Buffer.concat([narrow, frame(frameType.windowUpdate, 0, 0, uint32(1_000_000))]));
    socket.write(frame(frameType.windowUpdate, 0, 1, uint32(65_435)));
    socket.write(frame(frameType.ping, 0, 0, Buffer.alloc(8)));
    await until("PING is answered", () => frames(({ type }) => type === frameType.ping).length > 0);
    // 100 - 65,535 + 65,435: nothing.
    expect(bytesOf(frames(dataOf(1)))).toBe(65_535);
    socket.write(frame(frameType.windowUpdate, 0, 1, uint32(10)));
    await until("ten bytes come", () => bytesOf(frames(dataOf(1))) === 65_545);
    socket.destroy();
  });

  it("takes turns between streams", async () => {
    const wide = frame(frameType.settings, 0, 0, settings([4, 1_000_000]));
    const { socket, frames } = start(wide, get(1, "/long"), get(3, "/long"));
    await until("the connection's window is used up", () => bytesOf(frames(({ type }) => type === 0)) === 65_535);
    socket.write(frame(frameType.windowUpdate, 0, 0, uint32(200_000)));
    await until("that is as well", () => bytesOf(frames(({ type }) => type === 0)) === 265_535);
    expect(bytesOf(frames(dataOf(3)))).toBeGreaterThan(80_000);
    socket.destroy();
  });
});

describe("how it ends", () => {
  const wide = frame(frameType.settings, 0, 0, settings([4, 100_000_000]));
  const wideConnection = frame(frameType.windowUpdate, 0, 0, uint32(100_000_000));

  it("sends what it has taken on, to a client that said it would go", async () => {
    const goAway = frame(frameType.goaway, 0, 0, Buffer.alloc(8));
    const received = await untilClosed(openHttp2(server.port, wide, wideConnection, get(1, "/huge"), goAway));
    expect(bytesOf(readFrames(received).filter(dataOf(1)))).toBe(hugeBytes);
  });

  it("says why, after what still waited to be sent", async () => {
    const socket = openHttp2(server.port, wide, wideConnection, get(1, "/huge"));
    await once(socket, "readable");
    // Nobody reads by now, and soon what comes next is answered behind bytes that the operating system hasn't taken.
    await sleep(300);
    socket.write(frame(frameType.windowUpdate, 0, 0, uint32(2 ** 31 - 1)));
    const received = readFrames(await untilClosed(socket));
    const last = received.at(-1);
    expect(last?.type).toBe(frameType.goaway);
    expect(last?.payload.readUInt32BE(4)).toBe(3);
  });
});

describe("more streams than there may be", () => {
  it("are refused, and those there are go on", async () => {
    const held = [1, 3, 5, 7].map((id) => callHeaders(id, "/held", "text/plain"));
    const { socket, frames } = start(...held, callHeaders(9));
    const refused = () => frames(({ type, stream }) => type === frameType.rstStream && stream === 9);
    await until("the fifth is refused", () => refused().length === 1);
    expect(refused()[0]?.payload.readUInt32BE()).toBe(7);
    expect(frames(({ type }) => type === frameType.goaway)).toEqual([]);
    socket.destroy();
  });
});

it("understands header blocks that refer to those of refused and malformed streams", async () => {
  const session = connect(server.url);
  await once(session, "connect");
  const call = (headers: Record<string, string>) =>
    session.request({ ":method": "POST", ":path": echoPath, ...headers });
  const json = { "content-type": "application/json", "x-own": "a value that goes into the table" };
  const malformed = call({ ...json, te: "trailers", "content-length": "7" });
  malformed.on("error", () => {});
  malformed.end("{}");
  await closed(malformed);
  const good = call(json);
  good.end('{"text":"understood"}');
  expect(JSON.parse(await text(good))).toEqual({ text: "understood" });
  session.destroy();
});
