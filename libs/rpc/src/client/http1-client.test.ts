import { once } from "node:events";
import { createServer } from "node:http";
import { Code, createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { freePort } from "@kinora/testing";
import { describe, expect, it } from "vitest";
import { echoRoutes } from "../testing/echo-service.ts";
import { startServer } from "../testing/start-server.ts";
import { createClientTransport } from "./client-transport.ts";

describe.each(["connect", "grpc-web"] as const)("a client by %s over HTTP/1.1", (protocol) => {
  const clientFor = (baseUrl: string) => {
    const transport = createClientTransport({ baseUrl, protocol, httpVersion: "1.1" });
    return { ...createClient(EchoService, transport), [Symbol.dispose]: () => transport.close() };
  };

  it("calls and reads streams", async () => {
    await using server = await startServer();
    using client = clientFor(server.url);
    expect(await client.echo({ text: "hello" })).toMatchObject({ text: "hello" });
    const numbers: number[] = [];
    for await (const { number } of client.count({ count: 3 })) {
      numbers.push(number);
    }
    expect(numbers).toEqual([1, 2, 3]);
  });

  it("speaks no other version, and knows its status codes", async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.httpVersion === "1.1" ? 429 : 500).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    {
      using client = clientFor(`http://127.0.0.1:${port}`);
      await expect(client.echo({ text: "hello" })).rejects.toMatchObject({ code: Code.Unavailable });
    }
    server.close();
    await once(server, "close");
  });

  it("names the address that it can't reach", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    using client = clientFor(url);
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: `can't reach ${url}: nothing listens there`,
    });
  });

  it("fails calls once it is closed, those under way too", async () => {
    const arrived = Promise.withResolvers<void>();
    await using server = await startServer({
      routes: echoRoutes({
        echo: (_request, { signal }) => {
          arrived.resolve();
          return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        },
      }),
    });
    using client = clientFor(server.url);
    const underWay = client.echo({ text: "hello" });
    await Promise.race([arrived.promise, underWay]);
    client[Symbol.dispose]();
    await expect(underWay).rejects.toMatchObject({ code: Code.Unavailable });
    await expect(client.echo({ text: "hello" })).rejects.toMatchObject({ code: Code.Unavailable });
  });
});
