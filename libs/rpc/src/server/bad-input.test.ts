import type { EventEmitter } from "node:events";
import { connect as connectHttp2, constants, type OutgoingHttpHeaders } from "node:http2";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { EchoRequestSchema } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../testing/start-server.ts";

const echoPath = "/kinora.testing.v1.EchoService/Echo";
const countPath = "/kinora.testing.v1.EchoService/Count";

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

async function stillServes(): Promise<void> {
  const response = await fetch(server.url + echoPath, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"text":"still here"}',
  });
  expect(await response.json()).toEqual({ text: "still here" });
}

function open(): Socket {
  return connect(server.port, "127.0.0.1").on("error", () => {});
}

/** Settles when it is closed, cleanly or not. (`events.once` would reject on the way.) */
function closed(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.once("close", () => resolve()));
}

/** Everything that comes until the server ends the connection. */
async function untilClosed(socket: Socket): Promise<string> {
  let received = "";
  socket.on("data", (chunk) => {
    received += String(chunk);
  });
  await closed(socket);
  return received;
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

describe("garbage", () => {
  it("in place of HTTP is answered with 400 or a closed connection, and the server goes on", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.boolean(), async (bytes, preface) => {
        const socket = open();
        socket.write(preface ? Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), bytes]) : bytes);
        socket.end();
        await untilClosed(socket);
      }),
      { numRuns: 100 },
    );
    await stillServes();
  });

  it("in the envelope of a gRPC call gives a status or a reset, and the server goes on", async () => {
    const session = connectHttp2(server.url);
    const types = ["application/grpc", "application/grpc-web+proto", "application/connect+json", "application/proto"];
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(...types),
        fc.constantFrom(echoPath, countPath),
        async (bytes, type, path) => {
          const stream = session.request({ ":method": "POST", ":path": path, "content-type": type });
          stream.on("error", () => {});
          stream.end(bytes);
          stream.resume();
          await closed(stream);
        },
      ),
      { numRuns: 200 },
    );
    session.destroy();
    await stillServes();
  });

  const call = async (headers: OutgoingHttpHeaders, body: Uint8Array | string) => {
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "POST", ":path": echoPath, ...headers });
    stream.on("error", () => {});
    let response: OutgoingHttpHeaders = {};
    let trailers: OutgoingHttpHeaders = {};
    stream.on("response", (fields) => {
      response = fields;
    });
    stream.on("trailers", (fields) => {
      trailers = fields;
    });
    stream.end(body);
    const answer = await text(stream).catch(() => "");
    session.destroy();
    return { status: response[":status"], grpc: response["grpc-status"] ?? trailers["grpc-status"], answer };
  };
  const envelope = (flags: number, length: number, message: Uint8Array) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags, 0);
    head.writeUInt32BE(length, 1);
    return Buffer.concat([head, message]);
  };
  const message = toBinary(EchoRequestSchema, create(EchoRequestSchema, { text: "hello" }));
  const grpc = { "content-type": "application/grpc" };
  const json = { "content-type": "application/json" };

  it.each([
    ["a right message", grpc, envelope(0, message.length, message), { status: 200, grpc: "0" }],
    ["a length beyond what comes", grpc, envelope(0, 1000, message), { grpc: "3" }],
    ["a length of 4 GiB", grpc, envelope(0, 0xffffffff, message), { grpc: "8" }],
    ["bytes that aren't the message", grpc, envelope(0, 3, Buffer.from([0xff, 0xff, 0xff])), { grpc: "13" }],
    ["a compressed flag without compression", grpc, envelope(1, message.length, message), { grpc: "13" }],
    [
      "an unknown compression",
      { ...grpc, "grpc-encoding": "zip" },
      envelope(0, message.length, message),
      { grpc: "12" },
    ],
    [
      "a gzip that unfolds to 100 MB",
      { ...json, "content-encoding": "gzip" },
      gzipSync(Buffer.alloc(100_000_000, " ")),
      { status: 429 },
    ],
    ["a malformed deadline", { ...grpc, "grpc-timeout": "soon" }, envelope(0, message.length, message), { grpc: "3" }],
    [
      "a deadline beyond any timer",
      { ...grpc, "grpc-timeout": "99999999H" },
      envelope(0, message.length, message),
      { grpc: "0" },
    ],
    ["JSON that isn't", json, "{text", { status: 400 }],
    ["JSON of another type", json, '{"text": 5}', { status: 400 }],
    ["an unknown codec", { "content-type": "application/yaml" }, "text: hello", { status: 415 }],
    [
      "a deadline beyond any timer in JSON",
      { ...json, "connect-timeout-ms": "9999999999" },
      '{"text":"hello"}',
      { status: 200 },
    ],
  ])("%s", async (_name, headers, body, expected) => {
    expect(await call(headers, body)).toMatchObject(expected);
  });

  it("a path or host that is no address", async () => {
    expect(await call({ ":path": `${echoPath}`, ":authority": "[nonsense" }, "{}")).toMatchObject({ status: 400 });
    const socket = open();
    socket.write(
      `POST ${echoPath} HTTP/1.1\r\nHost: [nonsense\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    );
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("more headers than there may be, over both versions", async () => {
    const long = "x".repeat(40_000);
    const socket = open();
    socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: ${long}\r\n\r\n`);
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 431 /);
    const refused = await call({ ...grpc, authorization: long }, "");
    expect(refused.status).toBe(431);
    await stillServes();
  });

  it("streams that are opened and reset as fast as can be end the connection, not the server", async () => {
    const session = connectHttp2(server.url);
    session.on("error", () => {});
    for (let i = 0; i < 3000 && !session.destroyed; i++) {
      const stream = session.request({ ":method": "POST", ":path": echoPath, ...grpc });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
      if (i % 100 === 0) {
        await sleep(1);
      }
    }
    session.destroy();
    await stillServes();
  });
});
