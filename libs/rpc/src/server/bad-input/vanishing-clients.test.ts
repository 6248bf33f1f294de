import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { echoRoutes } from "../../testing/echo-service.ts";
import {
  callHeaders,
  closed,
  countPath,
  countResources,
  echoPath,
  envelope,
  expectService,
  open,
  openHttp2,
  until,
} from "../../testing/hostile-client.ts";
import { flag, frame, frameType, preface } from "../../testing/http2-frames.ts";
import { startServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
/** How many handlers wait, and how many were told that nobody waits for them. */
let [waiting, told] = [0, 0];

beforeAll(async () => {
  server = await startServer({
    limits: { connectionAgeGraceMs: 300, lingerMs: 100 },
    routes: echoRoutes({
      async echo({ text }, { signal }) {
        if (text === "wait") {
          waiting++;
          await once(signal, "abort");
          told++;
        }
        return { text };
      },
    }),
    http: [
      {
        path: "/upload",
        async handle(request, response) {
          await buffer(request).catch(() => {});
          response.end();
        },
      },
      {
        path: "/large",
        async handle(_request, response) {
          await pipeline(Readable.from(largeAnswer()), response).catch(() => {});
        },
      },
    ],
  });
});
afterAll(() => server.close(0));

/** 64 MiB, none of which is there before it is asked for: most of its readers leave. */
function* largeAnswer(): Generator<Buffer> {
  const piece = Buffer.alloc(64 * 1024);
  for (let sent = 0; sent < 1000; sent++) {
    yield piece;
  }
}

const http1Post = (path: string, type: string, length: number, body: string) =>
  Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}`);
const wait = '{"text":"wait"}';
const grpcWait = frame(frameType.data, flag.endStream, 1, envelope(Buffer.from([10, 4, ...Buffer.from("wait")])));
const large = callHeaders(1, "/large", "text/plain", flag.endHeaders | flag.endStream);
const goaway = frame(frameType.goaway, 0, 0, Buffer.alloc(8));
const wrong = frame(frameType.data, 0, 99, Buffer.from("x"));
const started = { http2: () => openHttp2(server.port), http1: () => open(server.port) };

const moments: [string, keyof typeof started, Uint8Array][] = [
  ["before it says anything, over HTTP/1.1", "http1", Buffer.alloc(0)],
  ["in the middle of the preface", "http1", preface.subarray(0, 10)],
  ["in the middle of its headers, over HTTP/1.1", "http1", Buffer.from("POST / HTTP/1.1\r\nHost: ")],
  ["in the middle of its headers, over HTTP/2", "http2", callHeaders(1).subarray(0, 30)],
  ["between two frames of its headers", "http2", callHeaders(1, echoPath, "application/grpc", 0)],
  ["in the middle of a unary call's body, over HTTP/1.1", "http1", http1Post(echoPath, "application/json", 99, "{")],
  ["in the middle of a unary call's body, over HTTP/2", "http2", callHeaders(1)],
  ["in the middle of a stream's body", "http2", callHeaders(1, countPath)],
  ["in the middle of an upload, over HTTP/1.1", "http1", http1Post("/upload", "text/plain", 1000, "some")],
  ["in the middle of an upload, over HTTP/2", "http2", callHeaders(1, "/upload", "text/plain")],
  ["in the middle of its answer, over HTTP/1.1", "http1", Buffer.from("GET /large HTTP/1.1\r\nHost: x\r\n\r\n")],
  ["in the middle of its answer, over HTTP/2", "http2", large],
  ["after GOAWAY and a frame that breaks the protocol", "http2", Buffer.concat([callHeaders(1), goaway, wrong])],
];

describe.each<[string, (socket: Socket) => void]>([
  ["vanishes", (socket) => void socket.resetAndDestroy()],
  ["closes its side and hears no more", (socket) => void socket.end().pause()],
])("a client that %s", (_name, leave) => {
  it.each(moments)("%s leaves nothing behind", async (_moment, version, bytes) => {
    using resources = countResources();
    const socket = started[version]();
    socket.write(bytes);
    await once(socket, "connect");
    // Time for the bytes to arrive; nothing depends on it.
    await new Promise((resolve) => setTimeout(resolve, 50));
    leave(socket);
    await until("the server has let go", () => resources.now().streams === 0 && resources.now().sockets <= 1);
    socket.destroy();
    await resources.settled();
    await expectService(server.url);
  });
});

describe("the handler of a client that vanishes is told", () => {
  it.each<[string, keyof typeof started, Uint8Array]>([
    ["Connect over HTTP/1.1", "http1", http1Post(echoPath, "application/json", wait.length, wait)],
    ["gRPC", "http2", Buffer.concat([callHeaders(1), grpcWait])],
    ["gRPC-Web", "http2", Buffer.concat([callHeaders(1, echoPath, "application/grpc-web+proto"), grpcWait])],
  ])("%s", async (_name, version, bytes) => {
    using resources = countResources();
    const before = { waiting, told };
    const socket = started[version]();
    socket.write(bytes);
    await until("the handler waits", () => waiting === before.waiting + 1);
    socket.resetAndDestroy();
    await until("it is told", () => told === before.told + 1);
    await resources.settled();
  });

  it("by the reset of its stream", async () => {
    const before = { waiting, told };
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "POST", ":path": echoPath, "content-type": "application/json" });
    stream.end(wait);
    await until("the handler waits", () => waiting === before.waiting + 1);
    stream.close(8);
    await until("it is told", () => told === before.told + 1);
    session.close();
    await closed(session);
  });
});

describe("many clients that vanish", () => {
  it("leave no memory behind", async () => {
    using resources = countResources();
    for (let round = 0; round < 20; round++) {
      const sockets = moments.map(([, version, bytes]) => {
        const socket = started[version]();
        socket.write(bytes);
        return socket;
      });
      await Promise.all(sockets.map((socket) => once(socket, "connect")));
      for (const socket of sockets) {
        socket.resetAndDestroy();
      }
    }
    await resources.settled();
    expect(resources.now().streams).toBe(0);
    await expectService(server.url);
  });
});
