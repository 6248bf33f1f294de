import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { echoRoutes } from "../testing/echo-service.ts";
import { until } from "../testing/hostile-client.ts";
import { startServer } from "../testing/start-server.ts";

/** A server that takes two streams a connection, and holds calls until it is told. */
async function startNarrow() {
  const release = Promise.withResolvers<void>();
  let held = 0;
  const server = await startServer({
    limits: { streamsPerConnection: 2 },
    routes: echoRoutes({
      async echo({ text }) {
        held++;
        await release.promise;
        return { text };
      },
    }),
  });
  return { server, held: () => held, release: release.resolve };
}

describe("calls above what one session takes", () => {
  it("go over another one", async () => {
    const { server, held, release } = await startNarrow();
    const transport = createClientTransport({ baseUrl: server.url });
    const client = createClient(EchoService, transport);
    const calls = Array.from({ length: 7 }, () => client.echo({ text: "hello" }));
    await until("all are there", () => held() === 7);
    release();
    await Promise.all(calls);
    transport.close();
    await server.close();
  });

  it("wait in stock", async () => {
    const { server, held, release } = await startNarrow();
    const client = createClient(EchoService, createGrpcTransport({ baseUrl: server.url }));
    // The first tells it how many there may be.
    const first = client.echo({ text: "hello" });
    await until("it is there", () => held() === 1);
    const others = Array.from({ length: 6 }, () => client.echo({ text: "hello" }, { timeoutMs: 500 }));
    const outcomes = await Promise.allSettled(others);
    // Those that time out make room for others.
    expect(held()).toBeLessThan(7);
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: Code.DeadlineExceeded } });
    release();
    await first;
    await server.close(0);
  });
});

describe("calls to a service at several addresses", () => {
  it("are spread over them", async () => {
    const names = ["a", "b", "c"];
    const servers = await Promise.all(
      names.map((name) => startServer({ routes: echoRoutes({ echo: () => ({ text: name }) }) })),
    );
    const transport = createClientTransport({ baseUrl: servers.map(({ port }) => `127.0.0.1:${port}`) });
    const client = createClient(EchoService, transport);
    const answered = new Set<string>();
    // Connections are made meanwhile.
    for (let i = 0; i < 1000 && answered.size < names.length; i++) {
      const answers = await Promise.all(Array.from({ length: 6 }, () => client.echo({ text: "who?" })));
      for (const { text } of answers) {
        answered.add(text);
      }
    }
    expect([...answered].sort()).toEqual(names);
    transport.close();
    await Promise.all(servers.map((server) => server.close()));
  });
});
