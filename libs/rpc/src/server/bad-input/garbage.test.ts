import { connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { EchoRequestSchema } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  untilClosed as bytesUntilClosed,
  closed,
  countPath,
  echoPath,
  envelope,
  expectService,
  open as openSocket,
} from "../../testing/hostile-client.ts";
import { startServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close(0));

const open = () => openSocket(server.port);
const stillServes = () => expectService(server.url);

async function untilClosed(...[socket]: Parameters<typeof bytesUntilClosed>): Promise<string> {
  return String(await bytesUntilClosed(socket));
}

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
  const message = toBinary(EchoRequestSchema, create(EchoRequestSchema, { text: "hello" }));
  const grpc = { "content-type": "application/grpc" };
  const json = { "content-type": "application/json" };

  const gzipped = { ...grpc, "grpc-encoding": "gzip" };
  const grpcJson = { "content-type": "application/grpc+json" };
  // What V8 says of it begins with the second half of a surrogate pair.
  const halfCharacter = Buffer.from(`{"text":"${"\u{1f600}".repeat(18)}","w":tru}`);
  const unexpected = () => server.lines.filter(({ level }) => level === "error");

  it("quotes the test's JSON from within a character", () => {
    let message = "";
    try {
      JSON.parse(String(halfCharacter));
    } catch (error) {
      message = String(error);
    }
    expect(message.isWellFormed()).toBe(false);
  });

  it.each([
    ["a right message", grpc, envelope(message, 0, message.length), { status: 200, grpc: "0" }],
    ["a length beyond what comes", grpc, envelope(message, 0, 1000), { grpc: "3" }],
    ["a length of 4 GiB", grpc, envelope(message, 0, 0xffffffff), { grpc: "8" }],
    ["bytes that aren't the message", grpc, envelope(Buffer.from([0xff, 0xff, 0xff]), 0, 3), { grpc: "13" }],
    ["a compressed flag without compression", grpc, envelope(message, 1, message.length), { grpc: "13" }],
    [
      "an unknown compression",
      { ...grpc, "grpc-encoding": "zip" },
      envelope(message, 0, message.length),
      { grpc: "12" },
    ],
    [
      "a gzip that unfolds to 100 MB",
      { ...json, "content-encoding": "gzip" },
      gzipSync(Buffer.alloc(100_000_000, " ")),
      { status: 429 },
    ],
    [
      "a gzip that is cut off",
      { ...json, "content-encoding": "gzip" },
      gzipSync("{}").subarray(0, 12),
      { status: 400 },
    ],
    ["a gzip that is cut off in an envelope", gzipped, envelope(gzipSync(message).subarray(0, 12), 1), { grpc: "3" }],
    ["JSON whose fault is quoted from within a character", grpcJson, envelope(halfCharacter), { grpc: "3" }],
    [
      "the same, read by Connect's own handler",
      { ...grpcJson, "grpc-encoding": "gzip" },
      envelope(halfCharacter),
      { grpc: "3" },
    ],
    [
      "the same in gRPC-Web",
      { "content-type": "application/grpc-web+json" },
      envelope(halfCharacter),
      { answer: expect.stringContaining("grpc-status: 3") },
    ],
    [
      "the same in gRPC-Web, read by Connect's own handler",
      { "content-type": "application/grpc-web+json", "grpc-encoding": "gzip" },
      envelope(halfCharacter),
      { grpc: "3" },
    ],
    ["a malformed deadline", { ...grpc, "grpc-timeout": "soon" }, envelope(message, 0, message.length), { grpc: "3" }],
    [
      "a deadline beyond any timer",
      { ...grpc, "grpc-timeout": "99999999H" },
      envelope(message, 0, message.length),
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
    expect(unexpected()).toEqual([]);
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
});
