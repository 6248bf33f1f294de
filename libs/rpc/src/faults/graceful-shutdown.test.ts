import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { create } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { EchoRequestSchema, EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { echoRoutes } from "../testing/echo-service.ts";
import { createGrpcJsClient } from "../testing/grpc-js-client.ts";
import { startServer } from "../testing/start-server.ts";

describe("a server that closes", () => {
  it("takes no more calls on the session of a client that was idle", async () => {
    const server = await startServer();
    const transport = createClientTransport({ baseUrl: server.url });
    const client = createClient(EchoService, transport);
    await client.echo({ text: "before" });
    await server.close();
    await expect(client.echo({ text: "after" })).rejects.toMatchObject({ code: Code.Unavailable });
    transport.close();
  });

  it("so that stock clients notice, and grpc-js", async () => {
    const server = await startServer();
    const stock = createClient(EchoService, createGrpcTransport({ baseUrl: server.url }));
    const grpcJs = createGrpcJsClient(server.port);
    const message = create(EchoRequestSchema, { text: "before" });
    await stock.echo({ text: "before" });
    await grpcJs.echo(message);
    await server.close();
    await expect(stock.echo({ text: "after" })).rejects.toMatchObject({ code: Code.Unavailable });
    await expect(grpcJs.echo(message, { deadline: Date.now() + 1000 })).rejects.toMatchObject({ details: /./ });
    grpcJs.close();
  });

  it("does take them in stock without more ado", async () => {
    const server = createHttp2Server(connectNodeAdapter({ routes: echoRoutes() }));
    server.on("session", (session) => session.unref());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const client = createClient(EchoService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
    await client.echo({ text: "before" });
    // What `http2Server.close()` did before Node closed sessions along with it.
    Object.getPrototypeOf(Object.getPrototypeOf(server)).close.call(server);
    expect((await client.echo({ text: "after" })).text).toBe("after");
  });
});
