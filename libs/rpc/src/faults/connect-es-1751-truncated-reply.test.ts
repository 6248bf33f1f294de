import { constants, type ServerHttp2Stream } from "node:http2";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { startRawServer } from "../testing/raw-server.ts";

/** A server whose replies have headers and then what `reply` does. */
function startCutting(type: string, reply: (stream: ServerHttp2Stream) => void) {
  return startRawServer((stream) => {
    stream.respond({ ":status": 200, "content-type": type });
    reply(stream);
  });
}

const inMessage = (stream: ServerHttp2Stream) => void stream.end(Buffer.from([0, 0, 0, 0, 9, 1]));

describe("a gRPC reply that is cut off is unavailable", () => {
  it.each<[string, (stream: ServerHttp2Stream) => void]>([
    ["in the middle of a message", inMessage],
    ["in the middle of an envelope", (stream) => void stream.end(Buffer.from([0, 0]))],
    ["before its status", (stream) => void stream.end(Buffer.from([0, 0, 0, 0, 0]))],
    ["by its connection's end", (stream) => void stream.write(Buffer.from([0]), () => stream.session?.destroy())],
    ["by a reset", (stream) => void stream.write(Buffer.from([0]), () => stream.close(constants.NGHTTP2_NO_ERROR))],
  ])("%s", async (_name, reply) => {
    using server = await startCutting("application/grpc+proto", reply);
    const transport = createClientTransport({ baseUrl: server.url });
    const client = createClient(EchoService, transport);
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({ code: Code.Unavailable });
    await expect(Array.fromAsync(client.count({ count: 1 }))).rejects.toMatchObject({ code: Code.Unavailable });
    transport.close();
  });

  it("not so in stock, which blames the caller", async () => {
    using server = await startCutting("application/grpc+proto", inMessage);
    const client = createClient(EchoService, createGrpcTransport({ baseUrl: server.url }));
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({ code: Code.InvalidArgument });
  });
});

describe("a Connect reply that is cut off", () => {
  it("by its connection's end is unavailable", async () => {
    using server = await startCutting("application/proto", (stream) => {
      stream.write(Buffer.from([10]), () => stream.session?.destroy());
    });
    const transport = createClientTransport({ baseUrl: server.url, protocol: "connect" });
    await expect(createClient(EchoService, transport).echo({ text: "hello" })).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    transport.close();
  });
});
