import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { Code, createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { echoRoutes } from "../testing/echo-service.ts";
import { startServer } from "../testing/start-server.ts";

const fits = "x".repeat(4 * 1024 * 1024 - 100);
const tooLarge = "x".repeat(4 * 1024 * 1024 + 1);

describe("a message above 4 MiB", () => {
  it.each([
    ["gRPC", createGrpcTransport],
    ["Connect", createConnectTransport],
  ] as const)("is refused by the server, whatever the client allows: %s", async (_protocol, create) => {
    await using server = await startServer();
    const client = createClient(EchoService, create({ baseUrl: server.url, httpVersion: "2" }));
    await expect(client.echo({ text: tooLarge })).rejects.toMatchObject({ code: Code.ResourceExhausted });
    expect((await client.echo({ text: fits })).text.length).toBe(fits.length);
  });

  it.each(["grpc", "connect"] as const)("is refused by the client, whatever the server sends: %s", async (protocol) => {
    const server = createHttp2Server(
      connectNodeAdapter({
        routes: echoRoutes({ echo: ({ text }) => ({ text: text === "large" ? tooLarge : fits }) }),
      }),
    );
    const sessions = new Set<{ destroy(): void }>();
    server.on("session", (session) => sessions.add(session));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const baseUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const transport = createClientTransport({ baseUrl, protocol });
    const client = createClient(EchoService, transport);
    await expect(client.echo({ text: "large" })).rejects.toMatchObject({ code: Code.ResourceExhausted });
    expect((await client.echo({ text: "fits" })).text.length).toBe(fits.length);
    await expect(client.echo({ text: tooLarge })).rejects.toMatchObject({ code: Code.ResourceExhausted });
    transport.close();
    // Stock takes it, on both sides.
    const stock = createClient(EchoService, createGrpcTransport({ baseUrl }));
    expect((await stock.echo({ text: "large" })).text.length).toBe(tooLarge.length);
    for (const session of sessions) {
      session.destroy();
    }
    server.close();
  });
});
