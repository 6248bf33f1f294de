import { connect as connectHttp2 } from "node:http2";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  untilClosed as bytesUntilClosed,
  callHeaders,
  closed,
  countResources,
  echoPath,
  openHttp2,
  open as openSocket,
  until,
} from "../../testing/hostile-client.ts";
import { flag, frame, frameType, readFrames, settings, uint32 } from "../../testing/http2-frames.ts";
import { startServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
const largeCut = Promise.withResolvers<void>();
const largeTaken = Promise.withResolvers<void>();
beforeAll(async () => {
  server = await startServer({
    limits: {
      headersMs: 200,
      firstStreamMs: 300,
      unaryBodyMs: 200,
      stallMs: 300,
      lingerMs: 100,
      idleConnectionMs: 300,
    },
    http: [
      {
        path: "/upload",
        async handle(request, response) {
          const bytes = (await buffer(request)).length;
          response.end(`${bytes} bytes`);
        },
      },
      {
        path: "/large",
        async handle(_request, response) {
          response.once("close", () => (response.writableFinished ? largeTaken : largeCut).resolve());
          await pipeline(Readable.from(Array.from({ length: 1000 }, () => Buffer.alloc(64 * 1024))), response).catch(
            () => {},
          );
        },
      },
      {
        path: "/slow",
        async handle(_request, response) {
          await sleep(700);
          response.end("at last");
        },
      },
    ],
  });
});
afterAll(() => server.close(0));

const open = () => openSocket(server.port);

async function untilClosed(...[socket]: Parameters<typeof bytesUntilClosed>): Promise<string> {
  return String(await bytesUntilClosed(socket));
}

describe("a client that is slow on purpose is cut off", () => {
  it("when it sends nothing", async () => {
    expect(await untilClosed(open())).toBe("");
  });

  it("when it sends two letters of the HTTP/2 preface", async () => {
    const socket = open();
    socket.write("PR");
    expect(await untilClosed(socket)).toBe("");
  });

  it("when its HTTP/1.1 headers trickle in", async () => {
    const socket = open();
    socket.write("GET /healthz HTTP/1.1\r\n");
    const drip = setInterval(() => socket.write("x-slow: 1\r\n"), 50);
    const answer = await untilClosed(socket);
    clearInterval(drip);
    expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });

  it("when it opens an HTTP/2 connection and makes no call", async () => {
    const session = connectHttp2(server.url);
    session.on("error", () => {});
    await closed(session);
  });

  it("when its HTTP/2 connection stays without a call", async () => {
    const session = connectHttp2(server.url);
    session.on("error", () => {});
    await text(session.request({ ":path": "/healthz" }));
    await closed(session);
  });

  it("when the body of its call trickles in: deadline_exceeded", async () => {
    const socket = open();
    socket.write(
      `POST ${echoPath} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`,
    );
    const drip = setInterval(() => socket.write(" "), 50);
    const answer = await untilClosed(socket);
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1\.1 504 .*"code":"deadline_exceeded"/s);
  });

  it("when its upload stalls, over both versions", async () => {
    const socket = open();
    socket.write("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nsome");
    await untilClosed(socket);
    const session = connectHttp2(server.url);
    const stream = session.request({ ":path": "/upload", ":method": "POST" });
    stream.write("some");
    stream.on("error", () => {});
    await closed(stream);
    session.destroy();
  });

  it("when it doesn't take what it asked for", async () => {
    const socket = open();
    socket.write("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    await sleep(50);
    socket.pause();
    // Whatever it sends meanwhile doesn't help it.
    const drip = setInterval(() => socket.write("\r\n"), 50);
    await largeCut.promise;
    clearInterval(drip);
    socket.destroy();
  });

  it("when it asks for much over HTTP/2 and lets nothing through, though its connection is busy", async () => {
    using resources = countResources();
    const asked = callHeaders(1, "/large", "text/plain", flag.endHeaders | flag.endStream);
    const socket = openHttp2(server.port, frame(frameType.settings, 0, 0, settings([4, 0])), asked);
    const busy = setInterval(() => socket.write(frame(frameType.ping, 0, 0, Buffer.alloc(8))), 20);
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (readFrames(received).some(({ type, stream }) => type === frameType.rstStream && stream === 1)) {
        socket.destroy();
      }
    });
    await closed(socket);
    clearInterval(busy);
    await resources.settled();
  });

  it("when it takes an answer byte by byte over HTTP/2", async () => {
    using resources = countResources();
    const asked = callHeaders(1, "/large", "text/plain", flag.endHeaders | flag.endStream);
    const socket = openHttp2(server.port, frame(frameType.settings, 0, 0, settings([4, 0])), asked);
    socket.resume();
    const drip = setInterval(() => socket.write(frame(frameType.windowUpdate, 0, 1, uint32(1))), 20);
    await until("its stream is closed", () => resources.now().total > 0 && resources.now().streams === 0);
    clearInterval(drip);
    socket.destroy();
  });

  it("when it opens as many streams as it may and finishes none", async () => {
    using resources = countResources();
    const calls = Array.from({ length: 300 }, (_, i) => callHeaders(2 * i + 1));
    const socket = openHttp2(server.port, ...calls);
    const frames: string[] = [];
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
    });
    await closed(socket);
    for (const { type, stream } of readFrames(received)) {
      frames.push(`${type} ${stream}`);
    }
    // Each is answered (HEADERS) or refused (RST_STREAM).
    for (let id = 1; id < 600; id += 2) {
      expect(frames.includes(`1 ${id}`) || frames.includes(`3 ${id}`), `stream ${id}`).toBe(true);
    }
    await resources.settled();
  });
});

describe("a client that merely takes its time is served", () => {
  it("an upload whose bytes keep coming may take longer than any limit", async () => {
    const socket = open();
    socket.write("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\nConnection: close\r\n\r\n");
    const answer = untilClosed(socket);
    for (let i = 0; i < 20; i++) {
      await sleep(40);
      socket.write("x");
    }
    expect(await answer).toMatch(/20 bytes$/);
  });

  it("an answer that is taken, however large", async () => {
    expect((await (await fetch(`${server.url}/large`)).arrayBuffer()).byteLength).toBe(64 * 1024 * 1000);
    await largeTaken.promise;
  });

  it("a client may wait for its answer longer than any limit, over both versions", async () => {
    expect(await (await fetch(`${server.url}/slow`)).text()).toBe("at last");
    const session = connectHttp2(server.url);
    expect(await text(session.request({ ":path": "/slow" }))).toBe("at last");
    session.close();
  });
});
