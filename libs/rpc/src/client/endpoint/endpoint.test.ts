import { once } from "node:events";
import { constants, type ServerHttp2Stream } from "node:http2";
import { createServer as createNetServer, type Socket } from "node:net";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { temporaryFolder } from "@kinora/testing";
import { describe, expect, it, vi } from "vitest";
import { createServer } from "../../server/create-server.ts";
import { createCertificateAuthority } from "../../testing/certificates.ts";
import { echoAuthenticate, echoRoutes } from "../../testing/echo-service.ts";
import { frame, frameType } from "../../testing/http2-frames.ts";
import { type RawServer, startRawServer } from "../../testing/raw-server.ts";
import { recordingLogger } from "../../testing/recording-logger.ts";
import { startServer } from "../../testing/start-server.ts";
import { isUnseen } from "../faults.ts";
import { createEndpoint, type Endpoint, type EndpointOptions } from "./endpoint.ts";
import type { UnaryExchange } from "./exchange.ts";

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });
const headers = [":method", "POST", ":scheme", "http", ":authority", "server.test", ":path", "/"];

function ask(endpoint: Endpoint, own: Partial<UnaryExchange> = {}) {
  const deadline = performance.now() + 5_000;
  return endpoint.unary({
    headers,
    body: Buffer.from("hello"),
    maxBytes: 1_000,
    deadline,
    signal: undefined,
    ...own,
  });
}

function endpointOf({ port }: { port: number }, options: Partial<EndpointOptions> = {}) {
  const endpoint = createEndpoint({ address: { host: "127.0.0.1", port }, ...options });
  return Object.assign(endpoint, { [Symbol.dispose]: () => endpoint.close() });
}

function answer(stream: ServerHttp2Stream, text = "answer"): void {
  stream.respond({ ":status": 200 });
  stream.end(text);
}

function answerAll(streams: readonly ServerHttp2Stream[]): void {
  for (const stream of streams) {
    answer(stream);
  }
}

/** Streams that the server holds, to be answered later. */
async function startHolding(maxConcurrentStreams: number) {
  const held: ServerHttp2Stream[] = [];
  const server: RawServer = await startRawServer((stream) => held.push(stream), { settings: { maxConcurrentStreams } });
  return Object.assign(server, { held });
}

/** A server that talks to sockets as it likes. */
async function startSocketServer(onSocket: (socket: Socket) => unknown) {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
    },
  };
}

describe("an exchange", () => {
  it("brings back what the server says", async () => {
    using server = await startRawServer((stream) => {
      stream.respond({ ":status": 418, "x-a": "1" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-b": "2" }));
      stream.write("one ");
      stream.end("two");
    });
    using endpoint = endpointOf(server);
    const reply = await ask(endpoint);
    expect(reply.status).toBe(418);
    expect(reply.headers["x-a"]).toBe("1");
    expect(reply.trailers?.["x-b"]).toBe("2");
    expect(Buffer.from(reply.body).toString()).toBe("one two");
    expect(endpoint.inFlight).toBe(0);
  });

  it("stands when the server has answered before it has read everything", async () => {
    using server = await startRawServer((stream) => {
      stream.pause();
      stream.respond({ ":status": 200, "grpc-status": "8" }, { endStream: true });
      // Not at once: Node would forget the response.
      setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
    });
    using endpoint = endpointOf(server);
    for (let round = 0; round < 10; round++) {
      const reply = await ask(endpoint, { body: new Uint8Array(1_000_000) });
      expect(reply.headers["grpc-status"]).toBe("8");
    }
    await until(() => endpoint.inFlight === 0);
  });

  it("ends, for the server too, when its reply is too long", async () => {
    using server = await startRawServer((stream) => answer(stream, "x".repeat(100_000)));
    using endpoint = endpointOf(server);
    await expect(ask(endpoint)).rejects.toMatchObject({ code: Code.ResourceExhausted });
    await until(() => endpoint.inFlight === 0);
  });

  it("ends, for the server too, when nobody wants its body", async () => {
    const closed = Promise.withResolvers<number>();
    using server = await startRawServer((stream) => {
      stream.on("close", () => closed.resolve(stream.rstCode));
      stream.respond({ ":status": 500 });
      stream.write("and so on");
    });
    using endpoint = endpointOf(server);
    const refusal = new ConnectError("no", Code.Unknown);
    await expect(ask(endpoint, { refuse: () => refusal })).rejects.toBe(refusal);
    expect(await closed.promise).toBe(constants.NGHTTP2_CANCEL);
  });

  it("ends, for the server too, when its signal aborts or its time is over", async () => {
    using server = await startHolding(100);
    using endpoint = endpointOf(server);
    const controller = new AbortController();
    const calls = [
      ask(endpoint, { signal: controller.signal }),
      ask(endpoint, { deadline: performance.now() + 100 }),
      ask(endpoint, { deadline: performance.now() }),
      ask(endpoint, { signal: AbortSignal.abort(new ConnectError("never", Code.Aborted)) }),
    ].map((call) => call.catch((error) => error));
    await until(() => server.held.length === 2);
    controller.abort();
    expect(await Promise.all(calls)).toMatchObject([
      { code: Code.Canceled },
      { code: Code.DeadlineExceeded },
      { code: Code.DeadlineExceeded },
      { code: Code.Aborted },
    ]);
    await until(() => server.held.every((stream) => stream.rstCode === constants.NGHTTP2_CANCEL));
    await until(() => endpoint.inFlight === 0);
  });

  it("fails with what can't be sent", async () => {
    using server = await startRawServer((stream) => answer(stream));
    using endpoint = endpointOf(server);
    await expect(ask(endpoint, { headers: [...headers, "connection", "close"] })).rejects.toMatchObject({
      code: Code.Internal,
    });
    expect((await ask(endpoint)).status).toBe(200);
  });
});

describe("an endpoint's connections", () => {
  it("become more when each has as many streams as the server allows", async () => {
    using server = await startHolding(2);
    using endpoint = endpointOf(server);
    const calls = Array.from({ length: 5 }, () => ask(endpoint));
    await until(() => server.held.length === 5);
    expect(server.sessions.size).toBe(3);
    expect(endpoint.inFlight).toBe(5);
    answerAll(server.held);
    await Promise.all(calls);
    expect(endpoint.inFlight).toBe(0);
  });

  it("stay one for calls that come one after the other", async () => {
    using server = await startRawServer((stream) => answer(stream), { settings: { maxConcurrentStreams: 1 } });
    using endpoint = endpointOf(server);
    for (let call = 0; call < 20; call++) {
      await ask(endpoint);
    }
    expect(server.sessions.size).toBe(1);
  });

  it("are eight at most: whoever is left waits for a turn, within its own time", async () => {
    using server = await startHolding(1);
    using endpoint = endpointOf(server);
    const running = Array.from({ length: 8 }, () => ask(endpoint));
    await until(() => server.held.length === 8);
    const controller = new AbortController();
    const waiting = ask(endpoint);
    const late = ask(endpoint, { deadline: performance.now() + 50 });
    const leaving = expect(ask(endpoint, { signal: controller.signal })).rejects.toMatchObject({ code: Code.Canceled });
    controller.abort();
    await leaving;
    await expect(late).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    expect(server.held.length).toBe(8);
    expect(endpoint.inFlight).toBe(9);
    answerAll(server.held);
    await Promise.all(running);
    await until(() => server.held.length === 9);
    answerAll(server.held.slice(8));
    await waiting;
    expect(server.sessions.size).toBe(8);
  });

  it("don't let more wait than a bound", async () => {
    using server = await startHolding(1);
    using endpoint = endpointOf(server);
    const calls = Array.from({ length: 8 + 2048 + 1 }, () => ask(endpoint).catch((error) => error));
    const refused = await calls.at(-1);
    expect(refused).toMatchObject({ code: Code.ResourceExhausted });
    expect(isUnseen(refused)).toBe(true);
    endpoint.close();
    const outcomes = await Promise.all(calls);
    expect(new Set(outcomes.map((error) => error.code))).toEqual(new Set([Code.Unavailable, Code.ResourceExhausted]));
  });

  it("take no more calls after a GOAWAY, while theirs go on", async () => {
    using server = await startHolding(100);
    using endpoint = endpointOf(server);
    const first = ask(endpoint);
    await until(() => server.held.length === 1);
    for (const session of server.sessions) {
      session.close();
    }
    await until(() => endpoint.state !== "ready");
    const second = ask(endpoint);
    await until(() => server.held.length === 2);
    expect(server.held[0]?.session).not.toBe(server.held[1]?.session);
    answerAll(server.held);
    expect(Buffer.from((await first).body).toString()).toBe("answer");
    await second;
  });

  it("tell of calls that the server hasn't seen", async () => {
    // It says that it has looked at no stream at all, and that there were too many.
    const farewell = frame(frameType.goaway, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 11]));
    await using server = await startSocketServer((socket) => {
      socket.write(frame(frameType.settings, 0, 0));
      socket.on("data", (bytes) => bytes.includes("hello") && socket.write(farewell));
    });
    using endpoint = endpointOf(server);
    const fault = await ask(endpoint).catch((error) => error);
    expect(fault).toMatchObject({ code: Code.Unavailable });
    expect(isUnseen(fault)).toBe(true);
  });

  it("fail their calls when the endpoint closes, and leave nothing", async () => {
    using server = await startHolding(100);
    using endpoint = endpointOf(server);
    const call = ask(endpoint);
    await until(() => server.held.length === 1);
    endpoint.close();
    const fault = await call.catch((error) => error);
    expect(fault).toMatchObject({ code: Code.Unavailable });
    expect(isUnseen(fault)).toBe(false);
    await expect(ask(endpoint)).rejects.toMatchObject({ code: Code.Unavailable });
    await until(() => server.sessions.size === 0);
    expect(endpoint.inFlight).toBe(0);
  });

  it("finish their calls when the endpoint drains", async () => {
    using server = await startHolding(100);
    using endpoint = endpointOf(server);
    const call = ask(endpoint);
    await until(() => server.held.length === 1);
    endpoint.drain();
    const fault = await ask(endpoint).catch((error) => error);
    expect(isUnseen(fault)).toBe(true);
    answerAll(server.held);
    expect((await call).status).toBe(200);
    await until(() => server.sessions.size === 0);
  });

  it("aren't made to a server of another kind", async () => {
    await using server = await startSocketServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
    using endpoint = endpointOf(server);
    const fault = await ask(endpoint).catch((error) => error);
    expect(fault).toMatchObject({ code: Code.Unavailable });
    expect(isUnseen(fault)).toBe(true);
  });
});

describe("an endpoint on a Unix socket", () => {
  it("is called like any other", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "rpc.sock");
    const server = createServer({ routes: echoRoutes(), authenticate: echoAuthenticate, logger: recordingLogger() });
    await server.listen({ path });
    const endpoint = createEndpoint({ address: { path } });
    expect(endpoint.url).toBe(`unix:${path}`);
    expect((await ask(endpoint)).status).toBe(404);
    endpoint.close();
    await server.close(0);
    await expect(ask(createEndpoint({ address: { path } }))).rejects.toMatchObject({ code: Code.Unavailable });
  });
});

describe("an endpoint with TLS", () => {
  const authority = createCertificateAuthority();
  const { ca } = authority;
  const secure = [":method", "POST", ":scheme", "https", ":authority", "server.test", ":path", "/nothing"];

  it("trusts whom it is told to, by the name that it is told", async () => {
    await using server = await startServer({ tls: authority.issue("server.test") });
    using endpoint = endpointOf(server, { tls: { ca, serverName: "server.test" } });
    expect((await ask(endpoint, { headers: secure })).status).toBe(404);
  });

  it.each([
    ["an authority that it doesn't know", {}, /isn't one that we trust/],
    ["another name", { ca, serverName: "other.test" }, /is for another name/],
  ])("refuses a certificate of %s", async (_case, tls, message) => {
    await using server = await startServer({ tls: authority.issue("server.test") });
    using endpoint = endpointOf(server, { tls });
    await expect(ask(endpoint, { headers: secure })).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringMatching(message),
    });
  });

  it("says who it is where the server wants to know", async () => {
    await using server = await startServer({
      tls: { ...authority.issue("server.test"), ca, requestClientCertificate: "required" },
    });
    using known = endpointOf(server, { tls: { ca, ...authority.issue("client.test") } });
    expect((await ask(known, { headers: secure })).status).toBe(404);
    using unknown = endpointOf(server, { tls: { ca } });
    await expect(ask(unknown, { headers: secure })).rejects.toMatchObject({ code: Code.Unavailable });
  });

  it("says so where nobody speaks TLS", async () => {
    await using server = await startServer();
    using endpoint = endpointOf(server, { tls: { ca } });
    await expect(ask(endpoint, { headers: secure })).rejects.toMatchObject({ code: Code.Unavailable });
  });
});
