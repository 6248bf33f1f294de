import { constants, type ServerHttp2Stream } from "node:http2";
import { Code, type ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it, vi } from "vitest";
import { DomainError } from "../../domain-error.ts";
import { echoRoutes } from "../../testing/echo-service.ts";
import { startRawServer } from "../../testing/raw-server.ts";
import { startServer } from "../../testing/start-server.ts";
import { type ClientTransportOptions, createClientTransport } from "../client-transport.ts";

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });

function clientFor(baseUrl: string, options: Partial<ClientTransportOptions> = {}) {
  const transport = createClientTransport({ baseUrl, ...options });
  return { ...createClient(EchoService, transport), transport, [Symbol.dispose]: () => transport.close() };
}

/** What a call ends with, and what came before. */
async function outcome(messages: AsyncIterable<{ number: number }>) {
  const numbers: number[] = [];
  try {
    for await (const { number } of messages) {
      numbers.push(number);
    }
    return { numbers };
  } catch (error) {
    return { numbers, error: error as ConnectError };
  }
}

/** CountResponse{number} in its envelope. */
function message(number: number, flags = 0): Buffer {
  return Buffer.from([flags, 0, 0, 0, 2, 8, number]);
}

const grpc = { ":status": 200, "content-type": "application/grpc+proto" };

describe.each(["grpc", "connect"] as const)("a server stream by %s", (protocol) => {
  it("brings every message, then the metadata", async () => {
    await using server = await startServer({
      routes: echoRoutes({
        async *count({ count }, context) {
          context.responseHeader.set("x-header", "1");
          for (let number = 1; number <= count; number++) {
            yield { number };
          }
          context.responseTrailer.set("x-trailer", "2");
        },
      }),
    });
    using client = clientFor(server.url, { protocol });
    let header: string | null = null;
    let trailer: string | null = null;
    const { numbers } = await outcome(
      client.count(
        { count: 2_000 },
        {
          onHeader: (fields) => {
            header = fields.get("x-header");
          },
          onTrailer: (fields) => {
            trailer = fields.get("x-trailer");
          },
        },
      ),
    );
    expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, index) => index + 1));
    expect([header, trailer]).toEqual(["1", "2"]);
  });

  it("ends with the error that the server tells of, after what it sent before", async () => {
    await using server = await startServer({
      routes: echoRoutes({
        async *count() {
          yield { number: 7 };
          throw new DomainError("failed_precondition", "not today");
        },
      }),
    });
    using client = clientFor(server.url, { protocol });
    expect(await outcome(client.count({ count: 1 }))).toMatchObject({
      numbers: [7],
      error: { code: Code.FailedPrecondition, rawMessage: "not today" },
    });
  });

  it("makes a server wait whose messages nobody reads", async () => {
    let made = 0;
    await using server = await startServer({
      routes: echoRoutes({
        async *count({ count }) {
          for (let number = 1; number <= count; number++) {
            made = number;
            yield { number };
          }
        },
      }),
    });
    const total = 1_000_000;
    using client = clientFor(server.url, { protocol });
    const messages = client.count({ count: total })[Symbol.asyncIterator]();
    expect((await messages.next()).value).toMatchObject({ number: 1 });
    let before = -1;
    const still = () => {
      const moved = made !== before;
      before = made;
      return !moved;
    };
    await vi.waitUntil(still, { timeout: 20_000, interval: 300 });
    expect(made).toBeLessThan(total);
  });

  it("ends, for the server too, when its caller gives up", async () => {
    let ended = 0;
    await using server = await startServer({
      routes: echoRoutes({
        async *count(_request, { signal }) {
          yield { number: 1 };
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
          ended++;
        },
      }),
    });
    using client = clientFor(server.url, { protocol });
    const controller = new AbortController();
    const aborted = outcome(client.count({ count: 1 }, { signal: controller.signal }));
    const late = outcome(client.count({ count: 1 }, { timeoutMs: 200 }));
    const response = await client.transport.stream(
      EchoService.method.count,
      undefined,
      undefined,
      undefined,
      (async function* () {
        yield { count: 1 };
      })(),
    );
    for await (const { number } of response.message) {
      expect(number).toBe(1);
      break;
    }
    setTimeout(() => controller.abort(), 100);
    expect(await aborted).toMatchObject({ numbers: [1], error: { code: Code.Canceled } });
    expect(await late).toMatchObject({ numbers: [1], error: { code: Code.DeadlineExceeded } });
    await until(() => ended === 3);
  });

  it("refuses a message that is too long", async () => {
    await using server = await startServer();
    using client = clientFor(server.url, { protocol, readMaxBytes: 1 });
    expect(await outcome(client.count({ count: 3 }))).toMatchObject({
      numbers: [],
      error: { code: Code.ResourceExhausted },
    });
  });

  it("fails when its request can't be read, as one that is never made", async () => {
    await using server = await startServer();
    using client = clientFor(server.url, { protocol });
    const never = (async function* () {
      await new Promise(() => {});
    })();
    const call = (signal: AbortSignal | undefined, timeoutMs: number | undefined, input: AsyncIterable<object>) =>
      client.transport.stream(EchoService.method.count, signal, timeoutMs, undefined, input);
    await expect(call(undefined, 50, never)).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    await expect(call(AbortSignal.timeout(50), undefined, never)).rejects.toMatchObject({ code: Code.Canceled });
  });

  it("is unavailable when the connection breaks, after what came whole", async () => {
    using server = await startRawServer((stream) => {
      stream.respond(protocol === "grpc" ? grpc : { ":status": 200, "content-type": "application/connect+proto" });
      stream.write(Buffer.concat([message(1), message(2), message(3).subarray(0, 6)]), () => {
        setTimeout(() => stream.session?.destroy(), 50);
      });
    });
    using client = clientFor(server.url, { protocol });
    expect(await outcome(client.count({ count: 1 }))).toMatchObject({
      numbers: [1, 2],
      error: { code: Code.Unavailable, message: expect.stringContaining(server.url) },
    });
  });
});

describe("a server stream by gRPC", () => {
  const trailers = (stream: ServerHttp2Stream, fields: Record<string, string>) => {
    stream.respond(grpc, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(fields));
    stream.end(message(1));
  };
  const cases: [string, (stream: ServerHttp2Stream) => void, number[], object | undefined][] = [
    ["ends as its trailers say", (stream) => trailers(stream, { "grpc-status": "0" }), [1], undefined],
    [
      "fails as its trailers say",
      (stream) => trailers(stream, { "grpc-status": "5", "grpc-message": "not%20there", "x-why": "1" }),
      [1],
      { code: Code.NotFound, rawMessage: "not there" },
    ],
    ["is internal without a status", (stream) => trailers(stream, { "x-why": "1" }), [1], { code: Code.Internal }],
    [
      "fails as its headers say",
      (stream) => stream.respond({ ...grpc, "grpc-status": "5", "grpc-message": "no" }, { endStream: true }),
      [],
      { code: Code.NotFound, rawMessage: "no" },
    ],
    ["is what its HTTP status says", (stream) => stream.respond({ ":status": 503 }), [], { code: Code.Unavailable }],
    [
      "is unknown by another content type",
      (stream) => stream.respond({ ":status": 200, "content-type": "text/html" }),
      [],
      { code: Code.Unknown },
    ],
    [
      "is internal when it is compressed and nobody asked for that",
      (stream) => {
        stream.respond(grpc);
        stream.end(message(1, 1));
      },
      [],
      { code: Code.Internal },
    ],
    [
      "is unavailable when it is reset without an error",
      (stream) => {
        stream.respond(grpc);
        stream.write(message(1), () => setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), 50));
      },
      [1],
      { code: Code.Unavailable },
    ],
    [
      "is unavailable when it is reset without an error before it begins",
      (stream) => stream.close(constants.NGHTTP2_NO_ERROR),
      [],
      { code: Code.Unavailable },
    ],
    ["is unavailable when it is refused", (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM), [], { code: 14 }],
  ];
  it.each(cases)("%s", async (_name, respond, numbers, error) => {
    using server = await startRawServer(respond);
    using client = clientFor(server.url);
    const result = await outcome(client.count({ count: 1 }));
    expect(result).toMatchObject({ numbers, ...(error === undefined ? {} : { error }) });
    expect(result.error === undefined).toBe(error === undefined);
    // Connect's own says the same, where it isn't one of its known faults.
    if (!["reset", "refused"].some((fault) => _name.includes(fault))) {
      const stock = createClient(EchoService, createGrpcTransport({ baseUrl: server.url }));
      const theirs = await outcome(stock.count({ count: 1 }));
      expect(result.error?.code).toBe(theirs.error?.code);
      expect([...(result.error?.metadata ?? [])].filter(([name]) => name !== "date")).toEqual(
        [...(theirs.error?.metadata ?? [])].filter(([name]) => name !== "date"),
      );
    }
  });
});

describe("a server stream by Connect", () => {
  const end = (json: string) => Buffer.concat([Buffer.from([2, 0, 0, 0, json.length]), Buffer.from(json)]);
  it.each([
    ["ends with its last envelope", [message(1), end("{}")], [1], undefined],
    ["is unavailable without that", [message(1)], [1], Code.Unavailable],
    ["is unavailable when that is cut", [message(1), end("{}").subarray(0, 6)], [1], Code.Unavailable],
    ["is unavailable when something follows", [end("{}"), message(1)], [], Code.Unavailable],
    ["is unavailable when that makes no sense", [end("[]")], [], Code.Unavailable],
    ["is internal when it is compressed", [message(1, 1)], [], Code.Internal],
  ])("%s", async (_name, parts, numbers, code) => {
    using server = await startRawServer((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/connect+proto" });
      stream.end(Buffer.concat(parts));
    });
    using client = clientFor(server.url, { protocol: "connect" });
    const result = await outcome(client.count({ count: 1 }));
    expect([result.numbers, result.error?.code]).toEqual([numbers, code]);
  });
});
