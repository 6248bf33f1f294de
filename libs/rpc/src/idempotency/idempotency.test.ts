import {
  type Client,
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type ServiceImpl,
  type Transport,
} from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createInMemoryTransport } from "../client/in-memory-transport.ts";
import { DomainError } from "../domain-error.ts";
import { echoAuthenticate, echoRoutes } from "../testing/echo-service.ts";
import { recordingLogger } from "../testing/recording-logger.ts";
import { startServer } from "../testing/start-server.ts";
import { idempotencyInterceptor } from "./idempotency.ts";
import type { IdempotencyStore } from "./idempotency-store.ts";

type Impl = Partial<ServiceImpl<typeof EchoService>>;
type Ways = Record<string, (impl: Impl) => Promise<{ client: Client<typeof EchoService> } & AsyncDisposable>>;

function over(make: (baseUrl: string) => Transport): Ways[string] {
  return async (impl) => {
    const server = await startServer({ routes: echoRoutes(impl) });
    return { client: createClient(EchoService, make(server.url)), [Symbol.asyncDispose]: () => server.close(0) };
  };
}

const gzip = { sendCompression: compressionGzip, compressMinBytes: 0 };
const ways: Ways = {
  gRPC: over((baseUrl) => createGrpcTransport({ baseUrl })),
  "gRPC-Web over HTTP/1.1": over((baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })),
  "Connect over HTTP/1.1, JSON": over((baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  ),
  "Connect's own handlers (a compressed request)": over((baseUrl) => createGrpcTransport({ baseUrl, ...gzip })),
  memory: async (impl) => {
    const service = { routes: echoRoutes(impl), authenticate: echoAuthenticate, logger: recordingLogger() };
    const client = createClient(EchoService, createInMemoryTransport(service));
    return { client, [Symbol.asyncDispose]: async () => {} };
  },
};

function as(who: string, key: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${who}`, "idempotency-key": key } };
}

describe.each(Object.entries(ways))("a call with an idempotency key over %s", (_, start) => {
  it("is answered a second time as it was the first time, without its handler", async () => {
    let runs = 0;
    await using served = await start({
      echoUser({ text }, context) {
        runs++;
        context.responseHeader.set("x-run", String(runs));
        context.responseTrailer.set("x-trailer", `t${runs}`);
        return { text: `${text}, ${runs}`, userId: "u1" };
      },
    });
    const headers: Headers[] = [];
    const trailers: Headers[] = [];
    const options = {
      ...as("user", "k1"),
      onHeader: (header: Headers) => headers.push(header),
      onTrailer: (trailer: Headers) => trailers.push(trailer),
    };
    const first = await served.client.echoUser({ text: "a" }, options);
    const second = await served.client.echoUser({ text: "a" }, options);
    expect(first).toMatchObject({ text: "a, 1", userId: "u1" });
    expect(second).toEqual(first);
    expect(runs).toBe(1);
    expect(headers.map((header) => [header.get("x-run"), header.get("idempotency-replayed")])).toEqual([
      ["1", null],
      ["1", "true"],
    ]);
    expect(trailers.map((trailer) => trailer.get("x-trailer"))).toEqual(["t1", "t1"]);
    // A key of one's own, and none.
    expect((await served.client.echoUser({ text: "a" }, as("user", "k2"))).text).toBe("a, 2");
    expect((await served.client.echoUser({ text: "a" }, { headers: { authorization: "Bearer user" } })).text).toBe(
      "a, 3",
    );
  });

  it("fails a second time as it did the first time, if that was final", async () => {
    let runs = 0;
    await using served = await start({
      echoUser() {
        runs++;
        throw new DomainError("failed_precondition", `no, ${runs}`, {
          violations: [{ field: "text", message: "bad" }],
        });
      },
    });
    const fail = () =>
      served.client.echoUser({ text: "a" }, as("user", "k1")).catch((error) => ConnectError.from(error));
    const [first, second] = [await fail(), await fail()];
    for (const error of [first, second]) {
      expect(error).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "no, 1" });
      expect(error instanceof ConnectError && error.details.length).toBe(1);
    }
    expect(second instanceof ConnectError && second.metadata.get("idempotency-replayed")).toBe("true");
    expect(runs).toBe(1);
  });

  it("is made again after a failure that may pass", async () => {
    let runs = 0;
    await using served = await start({
      echoUser({ text }) {
        runs++;
        if (runs === 1) {
          throw new DomainError("unavailable", "the database is away");
        }
        return { text, userId: "u1" };
      },
    });
    await expect(served.client.echoUser({ text: "a" }, as("user", "k1"))).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    expect((await served.client.echoUser({ text: "a" }, as("user", "k1"))).text).toBe("a");
    expect(runs).toBe(2);
  });

  it("waits for the one that is under way", async () => {
    let runs = 0;
    const running = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    await using served = await start({
      async echoUser({ text }) {
        runs++;
        running.resolve();
        await go.promise;
        return { text, userId: String(runs) };
      },
    });
    const first = served.client.echoUser({ text: "a" }, as("user", "k1"));
    await running.promise;
    const second = served.client.echoUser({ text: "a" }, as("user", "k1"));
    const short = served.client.echoUser({ text: "a" }, { ...as("user", "k1"), timeoutMs: 50 });
    await expect(short).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    go.resolve();
    expect((await first).userId).toBe("1");
    expect((await second).userId).toBe("1");
    expect(runs).toBe(1);
  });

  it("gets what the first one's handler came to, though its caller left", async () => {
    let runs = 0;
    const running = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    await using served = await start({
      async echoUser({ text }) {
        runs++;
        running.resolve();
        await go.promise;
        return { text, userId: String(runs) };
      },
    });
    const leaving = new AbortController();
    const first = served.client.echoUser({ text: "a" }, { ...as("user", "k1"), signal: leaving.signal });
    await running.promise;
    leaving.abort();
    await expect(first).rejects.toMatchObject({ code: Code.Canceled });
    const second = served.client.echoUser({ text: "a" }, as("user", "k1"));
    go.resolve();
    expect((await second).userId).toBe("1");
    expect(runs).toBe(1);
  });

  it("can't share its key with another request, but with other methods and callers", async () => {
    await using served = await start({
      echoEither: ({ text }) => ({ text }),
      echoUser: ({ text }) => ({ text, userId: "u1" }),
    });
    const { client } = served;
    expect((await client.echoUser({ text: "a" }, as("user", "k1"))).text).toBe("a");
    await expect(client.echoUser({ text: "b" }, as("user", "k1"))).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringContaining("belongs to another request"),
    });
    expect((await client.echoEither({ text: "b" }, as("user", "k1"))).text).toBe("b");
    expect((await client.echoEither({ text: "c" }, as("service", "k1"))).text).toBe("c");
    // Two programs with accounts of their own are two callers, though both are services.
    expect((await client.echoEither({ text: "d" }, as("other service", "k1"))).text).toBe("d");
  });

  it("needs a key that can be one", async () => {
    await using served = await start({});
    const { client } = served;
    for (const key of ["two words", "k".repeat(256)]) {
      await expect(client.echoUser({ text: "a" }, as("user", key))).rejects.toMatchObject({
        code: Code.InvalidArgument,
      });
    }
  });

  it("doesn't change a method that changes nothing by contract", async () => {
    let runs = 0;
    await using served = await start({ echo: ({ text }) => ({ text: `${text}, ${++runs}` }) });
    for (const expected of ["a, 1", "a, 2"]) {
      expect((await served.client.echo({ text: "a" }, as("user", "k1"))).text).toBe(expected);
    }
  });
});

it("isn't kept for callers who are nobody in particular", async () => {
  let runs = 0;
  let kept = 0;
  const store: IdempotencyStore = {
    async begin() {
      kept++;
      return { state: "first" };
    },
    async finish() {},
  };
  const transport = createRouterTransport(
    (router) => {
      router.service(EchoService, { echoUser: ({ text }) => ({ text: `${text}, ${++runs}` }) });
    },
    { router: { interceptors: [idempotencyInterceptor(store)] } },
  );
  const client = createClient(EchoService, transport);
  for (const expected of ["a, 1", "a, 2"]) {
    expect((await client.echoUser({ text: "a" }, { headers: { "idempotency-key": "k1" } })).text).toBe(expected);
  }
  expect(kept).toBe(0);
});
