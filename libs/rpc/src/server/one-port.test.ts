import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  CountRequestSchema,
  EchoRequestSchema,
  EchoService,
} from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { createGrpcJsClient } from "../testing/grpc-js-client.ts";
import { startServer, type TestServer } from "../testing/start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    http: [
      {
        path: "/files/",
        async handle(request, response) {
          response.end(`${request.method} ${request.url} ${await text(request)}`);
        },
      },
      {
        path: "/files/exact",
        async handle(_request, response) {
          response.end("exact");
        },
      },
    ],
  });
});
afterAll(() => server.close());

const echoPath = "/kinora.testing.v1.EchoService/Echo";

describe("one port answers", () => {
  it("JSON over HTTP/1.1", async () => {
    const response = await fetch(server.url + echoPath, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "hello", words: ["a"] }),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ text: "hello", words: ["a"] });
  });

  it("JSON by GET, for a method without side effects", async () => {
    const message = encodeURIComponent(JSON.stringify({ text: "hello" }));
    const response = await fetch(`${server.url}${echoPath}?encoding=json&message=${message}`);
    expect(await response.json()).toEqual({ text: "hello" });
  });

  it("JSON over HTTP/2 with prior knowledge", async () => {
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "POST", ":path": echoPath, "content-type": "application/json" });
    stream.end(JSON.stringify({ text: "hello" }));
    expect(JSON.parse(await text(stream))).toEqual({ text: "hello" });
    session.close();
  });

  it("an HTTP/2 preface that comes in pieces", async () => {
    const socket = connect(server.port, "127.0.0.1");
    for (const piece of ["P", "R", "I * HT", "TP/2.0\r\n\r\nSM\r\n\r\n"]) {
      socket.write(piece);
      await sleep(5);
    }
    // An empty SETTINGS frame; the server's own comes back: type 4.
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    const [first] = await once(socket, "data");
    expect(first[3]).toBe(4);
    socket.destroy();
  });

  const transports: [string, () => Transport][] = [
    ["gRPC by our client", () => createClientTransport({ baseUrl: server.url })],
    ["Connect by our client", () => createClientTransport({ baseUrl: server.url, protocol: "connect" })],
    ["Connect by connect-web", () => createConnectTransport({ baseUrl: server.url })],
    ["Connect JSON by GET by connect-web", () => createConnectTransport({ baseUrl: server.url, useHttpGet: true })],
    ["gRPC-Web by connect-web", () => createGrpcWebTransport({ baseUrl: server.url })],
  ];
  it.each(transports)("%s: unary and server stream", async (_name, transport) => {
    const client = createClient(EchoService, transport());
    expect(await client.echo({ text: "hello" })).toMatchObject({ text: "hello" });
    const numbers: number[] = [];
    for await (const { number } of client.count({ count: 3 })) {
      numbers.push(number);
    }
    expect(numbers).toEqual([1, 2, 3]);
  });

  it.each(transports.slice(0, 2))("%s: client stream and both ways", async (_name, transport) => {
    const client = createClient(EchoService, transport());
    async function* numbers() {
      yield* [{ number: 1 }, { number: 2 }, { number: 3 }];
    }
    expect(await client.sum(numbers())).toMatchObject({ sum: 6 });
    async function* texts() {
      yield* [{ text: "a" }, { text: "b" }];
    }
    const answers: string[] = [];
    for await (const { text } of client.chat(texts())) {
      answers.push(text);
    }
    expect(answers).toEqual(["a", "b"]);
  });

  it("gRPC by grpc-js: unary, server stream, status", async () => {
    const client = createGrpcJsClient(server.port);
    expect(await client.echo(create(EchoRequestSchema, { text: "hello" }))).toMatchObject({ text: "hello" });
    const numbers: number[] = [];
    for await (const message of client.count(create(CountRequestSchema, { count: 3 }))) {
      numbers.push(message.number);
    }
    expect(numbers).toEqual([1, 2, 3]);
    // 3: INVALID_ARGUMENT, with the field's name.
    await expect(client.echo(create(EchoRequestSchema))).rejects.toMatchObject({ code: 3, details: /text: / });
    client.close();
  });

  it("messages of a megabyte", async () => {
    const client = createClient(EchoService, createClientTransport({ baseUrl: server.url }));
    const long = "x".repeat(1024 * 1024);
    expect((await client.echo({ text: long })).text).toBe(long);
  });

  it("plain HTTP routes, by exact path before prefix", async () => {
    const post = await fetch(`${server.url}/files/a/b?c=d`, { method: "POST", body: "content" });
    expect(await post.text()).toBe("POST /files/a/b?c=d content");
    expect(await (await fetch(`${server.url}/files/exact`)).text()).toBe("exact");
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "PUT", ":path": "/files/c" });
    stream.end("content");
    expect(await text(stream)).toBe("PUT /files/c content");
    session.close();
  });

  it("404 in JSON where there is nothing", async () => {
    const response = await fetch(`${server.url}/nothing?here`);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ code: "unimplemented", message: "there is nothing at /nothing" });
  });

  it.each(["application/grpc", "application/grpc-web+proto"])(
    "%s where there is nothing in its own terms",
    async (type) => {
      const session = connectHttp2(server.url);
      const stream = session.request({ ":method": "POST", ":path": "/no.such.Service/Method", "content-type": type });
      stream.end();
      const [headers] = await once(stream, "response");
      expect(headers).toMatchObject({ ":status": 200, "content-type": type, "grpc-status": "12" });
      expect(await text(stream)).toBe("");
      session.close();
    },
  );

  it("many calls at once on one connection", async () => {
    const client = createClient(EchoService, createClientTransport({ baseUrl: server.url }));
    const texts = Array.from({ length: 600 }, (_, i) => `call ${i}`);
    const answers = await Promise.all(texts.map((text) => client.echo({ text })));
    expect(answers.map(({ text }) => text)).toEqual(texts);
  });
});

describe("browsers", () => {
  it("are told by preflight what they may send", async () => {
    const response = await fetch(server.url + echoPath, {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "POST" },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    const allowed = response.headers.get("access-control-allow-headers")?.toLowerCase().split(", ");
    expect(allowed).toEqual(
      expect.arrayContaining([
        "authorization",
        "content-type",
        "connect-protocol-version",
        "x-grpc-web",
        "traceparent",
      ]),
    );
  });

  it("may read answers and errors from any page", async () => {
    const response = await fetch(server.url + echoPath, {
      method: "POST",
      headers: { "content-type": "application/json", origin: "https://app.example" },
      body: "{}",
    });
    expect(response.status).toBe(400);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-expose-headers")?.toLowerCase()).toContain("grpc-status");
  });
});
