import { once } from "node:events";
import { constants, createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { createServer as createNetServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { freePort } from "@kinora/testing";
import { describe, expect, it } from "vitest";
import { startServer } from "../testing/start-server.ts";
import { type ClientTransportOptions, createClientTransport } from "./client-transport.ts";

function clientFor(baseUrl: string, options: Partial<ClientTransportOptions> = {}) {
  const transport = createClientTransport({ baseUrl, ...options });
  return { ...createClient(EchoService, transport), close: () => transport.close() };
}

/** A server that does what it is told with each stream, in ways that ours never would. */
async function startRaw(onStream: (stream: ServerHttp2Stream, count: number) => void) {
  let count = 0;
  const server: Http2Server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.resume();
    onStream(stream, ++count);
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.dispose]() {
      for (const session of sessions) {
        session.destroy();
      }
      server.close();
    },
  };
}

const grpcHeaders = { ":status": 200, "content-type": "application/grpc+proto" };

describe.each(["grpc", "connect"] as const)("a client by %s", (protocol) => {
  it("names the address that it can't reach", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    await expect(clientFor(url, { protocol }).echo({ text: "hello" })).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: `can't reach ${url}: nothing listens there`,
    });
    await expect(
      clientFor("http://no.such.host.invalid:80", { protocol }).echo({ text: "hello" }),
    ).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringMatching(/^can't reach http:\/\/no\.such\.host\.invalid:80: its host name/),
    });
  });

  it("reconnects when the server is back (connect-es #1561)", async () => {
    const first = await startServer();
    const client = clientFor(first.url, { protocol });
    expect((await client.echo({ text: "one" })).text).toBe("one");
    await first.close();
    await expect(client.echo({ text: "two" })).rejects.toMatchObject({ code: Code.Unavailable });
    await using second = await startServer({ port: first.port });
    expect((await client.echo({ text: "three" })).text).toBe("three");
    expect(second.lines).not.toEqual([]);
    client.close();
  });

  it("settles as unavailable when its stream is reset without an error (connect-es #1678)", async () => {
    using server = await startRaw((stream) => stream.close(constants.NGHTTP2_NO_ERROR));
    const client = clientFor(server.url, { protocol });
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({
      code: Code.Unavailable,
      message: expect.stringContaining(server.url),
    });
    client.close();
  });

  it("reports a lost connection as unavailable", async () => {
    using server = await startRaw((stream) => stream.session?.destroy());
    const client = clientFor(server.url, { protocol });
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({
      code: Code.Unavailable,
      message: expect.stringContaining(server.url),
    });
    client.close();
  });

  it("sends a call again that was refused unseen, once", async () => {
    using refusing = await startRaw((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    const client = clientFor(refusing.url, { protocol });
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({ code: Code.Unavailable });
    client.close();
  });

  it("waits no longer than its deadline for a server that doesn't answer", async () => {
    using silent = await startRaw(() => {});
    const client = clientFor(silent.url, { protocol, timeoutMs: 100 });
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    client.close();
  });

  it("doesn't mistake a server of another kind", async () => {
    const server = createNetServer((socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH_9.2\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const client = clientFor(url, { protocol });
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({
      code: Code.Unavailable,
      message: expect.stringContaining(url),
    });
    client.close();
    server.close();
  });

  it("fails calls once it is closed", async () => {
    await using server = await startServer();
    const client = clientFor(server.url, { protocol });
    await client.echo({ text: "hello" });
    client.close();
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({ code: Code.Unavailable });
  });

  it("asks for its token at every call", async () => {
    await using server = await startServer();
    const tokens = ["expired", "user"];
    const client = clientFor(server.url, { protocol, token: async () => tokens.shift() ?? "none" });
    await expect(client.echoUser({ text: "hello" })).rejects.toMatchObject({ code: Code.Unauthenticated });
    expect((await client.echoUser({ text: "hello" })).userId).toBe("u1");
    client.close();
  });
});

describe("a gRPC reply that is cut off (connect-es #1751)", () => {
  const cases: [string, (stream: ServerHttp2Stream) => void][] = [
    ["in the middle of a message", (stream) => stream.end(Buffer.from([0, 0, 0, 0, 9, 1]))],
    ["before its status", (stream) => stream.end(Buffer.from([0, 0, 0, 0, 0]))],
    ["by the connection's end", (stream) => stream.write(Buffer.from([0, 0]), () => stream.session?.destroy())],
    [
      "by a reset without an error",
      (stream) => stream.write(Buffer.from([0]), () => stream.close(constants.NGHTTP2_NO_ERROR)),
    ],
  ];
  it.each(cases)("%s is unavailable", async (_name, cut) => {
    using server = await startRaw((stream) => {
      stream.respond(grpcHeaders);
      cut(stream);
    });
    const client = clientFor(server.url);
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({
      code: Code.Unavailable,
      message: expect.stringContaining(server.url),
    });
    await expect(Array.fromAsync(client.count({ count: 1 }))).rejects.toMatchObject({ code: Code.Unavailable });
    client.close();
  });
});

describe("a gRPC reply with trailers", () => {
  const started = (
    messages: number,
    trailers: Record<string, string>,
    then: (stream: ServerHttp2Stream) => void = () => {},
  ) =>
    startRaw((stream) => {
      stream.respond(grpcHeaders, { waitForTrailers: true });
      stream.once("wantTrailers", () => {
        stream.sendTrailers(trailers);
        then(stream);
      });
      // Empty messages.
      stream.end(Buffer.alloc(5 * messages));
    });

  it("but without a status breaks the protocol", async () => {
    using server = await started(1, { "grpc-message": "no status" });
    const client = clientFor(server.url);
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({ code: Code.Internal });
    await expect(Array.fromAsync(client.count({ count: 1 }))).rejects.toMatchObject({ code: Code.Internal });
    client.close();
  });

  it.each([
    ["0", undefined],
    ["4", Code.DeadlineExceeded],
  ])("is whole, status %s, if the server doesn't wait for the rest of the request", async (status, code) => {
    using server = await started(2, { "grpc-status": status }, (stream) =>
      setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), 5),
    );
    const client = clientFor(server.url);
    const endless = async function* () {
      yield { text: "hello" };
      await new Promise<never>(() => {});
    };
    let received = 0;
    const read = async () => {
      for await (const _message of client.chat(endless())) {
        received++;
        // The end comes meanwhile.
        await sleep(50);
      }
    };
    const failure = await read().then(
      () => undefined,
      (error) => ConnectError.from(error),
    );
    expect(failure?.code).toBe(code);
    expect(received).toBe(2);
    client.close();
  });
});

describe("a refused stream", () => {
  it("is opened once more", async () => {
    using server = await startRaw((stream, count) => {
      if (count === 1) {
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
      } else {
        stream.respond({ ...grpcHeaders, "grpc-status": "12", "grpc-message": "second" }, { endStream: true });
      }
    });
    const client = clientFor(server.url);
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({
      code: Code.Unimplemented,
      rawMessage: "second",
    });
    client.close();
  });
});
