import { once } from "node:events";
import { connect } from "node:http2";
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { compressionGzip, createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@kinora/proto-common";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { echoRoutes } from "../testing/echo-service.ts";
import { startServer } from "../testing/start-server.ts";

const gzip = { sendCompression: compressionGzip, compressMinBytes: 0 };
const ways: [string, (baseUrl: string) => Transport][] = [
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["Connect over HTTP/2", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })],
  [
    "Connect over HTTP/1.1, JSON",
    (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  ],
  ["Connect's own handlers (a compressed request)", (baseUrl) => createGrpcTransport({ baseUrl, ...gzip })],
];

/** A server that takes two calls at a time; `echo` of "wait" waits until it is let go. */
async function start(transport: (baseUrl: string) => Transport) {
  const go = Promise.withResolvers<void>();
  let waiting = 0;
  const wait = async ({ text }: { text: string }) => {
    if (text === "wait") {
      waiting++;
      await go.promise;
    }
    return { text };
  };
  const server = await startServer({
    routes: echoRoutes({ echo: wait, echoUser: async ({ text }) => ({ ...(await wait({ text })), userId: "u1" }) }),
    shedding: { maxLimit: 2 },
    longPolls: [EchoService.method.echoUser],
  });
  const client = createClient(EchoService, transport(server.url));
  return {
    server,
    client,
    go: go.resolve,
    async waiting(count: number) {
      while (waiting < count) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    [Symbol.asyncDispose]: () => server.close(0),
  };
}

async function refused(client: Client<typeof EchoService>): Promise<ConnectError> {
  const error = await client.echo({ text: "one too many" }).catch((reason) => ConnectError.from(reason));
  if (!(error instanceof ConnectError)) {
    throw new Error("not refused");
  }
  return error;
}

describe.each(ways)("more calls than are allowed, over %s", (_, transport) => {
  it("are told when to try again; those under way aren't touched, and then there is room again", async () => {
    await using served = await start(transport);
    const { client } = served;
    const first = [client.echo({ text: "wait" }), client.echo({ text: "wait" })];
    await served.waiting(2);
    for (let again = 0; again < 3; again++) {
      const error = await refused(client);
      expect(error.code).toBe(Code.Unavailable);
      expect(error.rawMessage).toContain("try again");
      expect(Number(error.metadata.get("grpc-retry-pushback-ms"))).toBeGreaterThanOrEqual(200);
      expect(error.metadata.get("retry-after")).toMatch(/^[12]$/);
    }
    served.go();
    expect((await Promise.all(first)).map(({ text }) => text)).toEqual(["wait", "wait"]);
    expect((await client.echo({ text: "fits" })).text).toBe("fits");
    const calls = served.server.lines.filter(({ message }) => message === "call");
    expect(calls.map(({ fields }) => fields.code)).toEqual(["ok", "ok", "ok"]);
  });

  it("leave health checks, long polls and streams alone", async () => {
    await using served = await start(transport);
    const { client, server } = served;
    const first = [client.echo({ text: "wait" }), client.echo({ text: "wait" })];
    await served.waiting(2);
    const poll = client.echoUser({ text: "wait" }, { headers: { authorization: "Bearer user" } });
    await served.waiting(3);
    const health = createClient(Health, transport(server.url));
    expect((await health.check({})).status).toBe(Status.SERVING);
    const numbers: number[] = [];
    for await (const { number } of client.count({ count: 2 })) {
      numbers.push(number);
    }
    expect(numbers).toEqual([1, 2]);
    served.go();
    await Promise.all([...first, poll]);
  });

  it("give their slots back when their callers leave", async () => {
    await using served = await start(transport);
    const leaving = new AbortController();
    const { client } = served;
    const first = [1, 2].map(() => client.echo({ text: "wait" }, { signal: leaving.signal }));
    await served.waiting(2);
    leaving.abort();
    await Promise.allSettled(first);
    // The server hears of it a little later.
    for (let error: unknown = "none yet"; error !== undefined; ) {
      error = await client.echo({ text: "fits" }).then(
        () => undefined,
        (reason) => reason,
      );
    }
    served.go();
  });
});

it("refuses a request whose body never comes, without waiting for it", async () => {
  await using served = await start((baseUrl) => createGrpcTransport({ baseUrl }));
  const first = [1, 2].map(() => served.client.echo({ text: "wait" }));
  await served.waiting(2);
  const session = connect(served.server.url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/kinora.testing.v1.EchoService/Echo",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  const [headers] = await once(stream, "response");
  expect(headers["grpc-status"]).toBe(String(Code.Unavailable));
  session.destroy();
  served.go();
  await Promise.all(first);
});

it("doesn't count a call whose body is on its way for long", async () => {
  await using served = await start((baseUrl) => createGrpcTransport({ baseUrl }));
  const session = connect(served.server.url);
  const slow = [1, 2].map(() =>
    session.request({
      ":method": "POST",
      ":path": "/kinora.testing.v1.EchoService/Echo",
      "content-type": "application/grpc",
      te: "trailers",
    }),
  );
  for (const stream of slow) {
    stream.on("error", () => {});
  }
  for (let error: unknown = "none yet"; error !== undefined; ) {
    error = await served.client.echo({ text: "fits" }).then(
      () => undefined,
      (reason) => reason,
    );
  }
  session.destroy();
});

it("lets other calls in while as many wait in a queue as may", async () => {
  const go = Promise.withResolvers<void>();
  const server = await startServer({
    routes: echoRoutes({
      echo: async ({ text }) => ({ text }),
      echoUser: async ({ text }) => {
        await go.promise;
        return { text, userId: "u1" };
      },
    }),
    shedding: { maxLimit: 2 },
    queued: [EchoService.method.echoUser],
  });
  await using _ = { [Symbol.asyncDispose]: () => server.close(0) };
  const client = createClient(EchoService, createGrpcTransport({ baseUrl: server.url }));
  const headers = { authorization: "Bearer user" };
  const waiting = Array.from({ length: 20 }, (_, index) => client.echoUser({ text: String(index) }, { headers }));
  expect((await client.echo({ text: "at once" })).text).toBe("at once");
  go.resolve();
  await Promise.all(waiting);
});

it.each(["steadfast", "queued"] as const)("lets %s methods in while others are refused", async (kind) => {
  const go = Promise.withResolvers<void>();
  let waiting = 0;
  const wait = async ({ text }: { text: string }) => {
    waiting++;
    await go.promise;
    return { text };
  };
  const server = await startServer({
    routes: echoRoutes({ echo: wait, echoUser: async ({ text }) => ({ text, userId: "u1" }) }),
    shedding: { maxLimit: 2 },
    [kind]: [EchoService.method.echoUser],
  });
  await using _ = { [Symbol.asyncDispose]: () => server.close(0) };
  const client = createClient(EchoService, createGrpcTransport({ baseUrl: server.url }));
  const first = [client.echo({ text: "wait" }), client.echo({ text: "wait" })];
  while (waiting < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await refused(client)).code).toBe(Code.Unavailable);
  const headers = { authorization: "Bearer user" };
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => client.echoUser({ text: String(index) }, { headers })),
  );
  expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
  go.resolve();
  await Promise.all(first);
});
