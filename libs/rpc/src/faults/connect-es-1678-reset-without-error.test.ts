import { constants, type IncomingHttpHeaders } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { startRawServer } from "../testing/raw-server.ts";

// A proxy that stops sends RST_STREAM(NO_ERROR) for what is under way.
const resets = () => startRawServer((stream) => stream.close(constants.NGHTTP2_NO_ERROR));

describe("a call whose stream is reset without an error", () => {
  it.each(["grpc", "connect"] as const)("settles as unavailable: %s", async (protocol) => {
    using server = await resets();
    const transport = createClientTransport({ baseUrl: server.url, protocol, timeoutMs: 60_000 });
    const client = createClient(EchoService, transport);
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({ code: Code.Unavailable });
    await expect(Array.fromAsync(client.count({ count: 1 }))).rejects.toMatchObject({ code: Code.Unavailable });
    transport.close();
  });

  it.each([
    ["grpc", createGrpcTransport],
    ["connect", createConnectTransport],
  ] as const)("stays open for ever in stock: %s", async (_protocol, create) => {
    using server = await resets();
    const client = createClient(EchoService, create({ baseUrl: server.url, httpVersion: "2" }));
    const call = client.echo({ text: "hello" }).then(
      () => "settled",
      () => "settled",
    );
    expect(await Promise.race([call, sleep(500, "open")])).toBe("open");
  });
});

describe("a call to a server that never answers", () => {
  it.each(["grpc", "connect"] as const)("has a deadline, though nobody asked for one: %s", async (protocol) => {
    const asked = Promise.withResolvers<IncomingHttpHeaders>();
    using server = await startRawServer((_stream, _count, headers) => asked.resolve(headers));
    const transport = createClientTransport({ baseUrl: server.url, protocol });
    const call = createClient(EchoService, transport).echo({ text: "hello" });
    call.catch(() => {});
    const { "grpc-timeout": grpc, "connect-timeout-ms": connect } = await asked.promise;
    expect(grpc ?? connect).toMatch(/^\d+/);
    transport.close();
    await expect(call).rejects.toMatchObject({ code: Code.Unavailable });
  });
});
