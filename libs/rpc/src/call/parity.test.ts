import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient, type HandlerContext } from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { ViolationsSchema } from "@kinora/proto-common";
import { type EchoRequest, EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import type { Caller } from "../caller.ts";
import { callerOf } from "../caller.ts";
import { createClientTransport } from "../client/client-transport.ts";
import { createInMemoryTransport } from "../client/in-memory-transport.ts";
import { DomainError } from "../domain-error.ts";
import { echoAuthenticate, echoRoutes } from "../testing/echo-service.ts";
import { type LogLine, recordingLogger } from "../testing/recording-logger.ts";
import { startServer } from "../testing/start-server.ts";
import { currentTrace, remainingMs } from "./call-scope.ts";

type Handlers = Parameters<typeof echoRoutes>[0];

/** A service and a client for it, by one of the ways to call it. */
async function open(way: "gRPC" | "Connect" | "in memory", handlers: Handlers = {}, token?: string) {
  const routes = echoRoutes(handlers);
  const credential = token === undefined ? {} : { token };
  if (way === "in memory") {
    const logger = recordingLogger();
    const transport = createInMemoryTransport({ routes, authenticate: echoAuthenticate, logger, ...credential });
    return { client: createClient(EchoService, transport), lines: logger.lines, [Symbol.asyncDispose]: async () => {} };
  }
  const server = await startServer({ routes });
  const protocol = way === "gRPC" ? "grpc" : "connect";
  const transport = createClientTransport({ baseUrl: server.url, protocol, ...credential });
  return {
    client: createClient(EchoService, transport),
    lines: server.lines,
    async [Symbol.asyncDispose]() {
      transport.close();
      await server.close(0);
    },
  };
}

// A busy machine may take its time.
const patience = { timeout: 10_000 };

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectError)) {
    throw new Error(`expected a ConnectError, got ${error}`);
  }
  return error;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

function calls(lines: LogLine[]): Record<string, unknown>[] {
  return lines.filter(({ message }) => message === "call").map(({ fields }) => fields);
}

describe.each(["gRPC", "Connect", "in memory"] as const)("a call by %s", (way) => {
  it("reaches its handler and returns", async () => {
    await using service = await open(way);
    expect(await service.client.echo({ text: "hello", words: ["a", "b"] })).toMatchObject({
      text: "hello",
      words: ["a", "b"],
    });
    expect((await collect(service.client.count({ count: 3 }))).map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(await service.client.sum(createAsyncIterable([{ number: 1 }, { number: 2 }]))).toMatchObject({ sum: 3 });
  });

  it("shares no message with its caller", async () => {
    const seen: EchoRequest[] = [];
    await using service = await open(way, {
      echo(request) {
        seen.push(request);
        request.text = "changed";
        request.words.push("more");
        return { text: "answer", words: request.words };
      },
    });
    const words = ["a"];
    const answer = await service.client.echo({ text: "original", words });
    expect(words).toEqual(["a"]);
    answer.words.push("by the caller");
    expect(seen[0]?.words).toEqual(["a", "more"]);
  });

  it.each([
    ["echoUser", undefined, Code.Unauthenticated],
    ["echoUser", "foreign", Code.Unauthenticated],
    ["echoUser", "worker", Code.PermissionDenied],
    ["echoUser", "user", "ok"],
    ["echoService", "user", Code.PermissionDenied],
    ["echoService", "service", "ok"],
    ["echoWorker", "service", Code.PermissionDenied],
    ["echoWorker", "worker", "ok"],
    ["echoEither", "worker", Code.PermissionDenied],
    ["echoEither", "user", "ok"],
    ["echoEither", "service", "ok"],
    ["echo", undefined, "ok"],
    ["echo", "foreign", "ok"],
  ] as const)("of %s with the token %s ends as %s", async (method, token, expected) => {
    await using service = await open(way, {}, token);
    const call = service.client[method]({ text: "hello" });
    if (expected === "ok") {
      expect(await call).toMatchObject({ text: "hello" });
    } else {
      expect((await failure(call)).code).toBe(expected);
    }
  });

  it("tells its handler who calls", async () => {
    const callers: Caller[] = [];
    await using service = await open(
      way,
      {
        echo: ({ text }, context) => {
          callers.push(callerOf(context));
          return { text };
        },
      },
      "user",
    );
    await service.client.echo({ text: "hello" });
    expect(callers).toEqual([
      { kind: "user", userId: "u1", role: "member", sessionId: "s1", scopes: "all", audiences: "all" },
    ]);
  });

  it("is refused with the fields that break a rule, before its handler runs", async () => {
    let ran = false;
    await using service = await open(way, {
      echo({ text }) {
        ran = true;
        return { text };
      },
    });
    const error = await failure(service.client.echo({ text: "", id: "no uuid" }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(/text: .*; id: /);
    const violations = error.findDetails(ViolationsSchema).flatMap((detail) => detail.violations);
    expect(violations.map((violation) => violation.field?.elements.map(({ fieldName }) => fieldName))).toEqual([
      ["text"],
      ["id"],
    ]);
    expect(violations[0]?.ruleId).toBe("string.min_len");
    expect(ran).toBe(false);
    const stream = await failure(collect(service.client.count({ count: 2_000_000 })));
    expect(stream.code).toBe(Code.InvalidArgument);
  });

  it("ends with the code of a DomainError, its message, violations and time to retry", async () => {
    await using service = await open(way, {
      echo() {
        throw new DomainError("exhausted", "too many; wait a little", {
          violations: [{ field: "a.b", message: "is too much", id: "limit" }],
          retryAfterSeconds: 2.5,
        });
      },
    });
    const error = await failure(service.client.echo({ text: "hello" }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toBe("too many; wait a little");
    expect(error.metadata.get("retry-after")).toBe("3");
    const [violation] = error.findDetails(ViolationsSchema).flatMap((detail) => detail.violations);
    expect(violation).toMatchObject({ message: "is too much", ruleId: "limit" });
    expect(violation?.field?.elements.map(({ fieldName }) => fieldName)).toEqual(["a", "b"]);
  });

  it.each([
    ["a unary call", (client: Awaited<ReturnType<typeof open>>["client"]) => client.echo({ text: "hello" })],
    ["a stream", (client: Awaited<ReturnType<typeof open>>["client"]) => collect(client.count({ count: 1 }))],
  ])("hides what nobody foresaw behind a reference to the log: %s", async (_name, call) => {
    await using service = await open(way, {
      echo() {
        throw new TypeError("secret internals");
      },
      // biome-ignore lint/correctness/useYield: a stream that fails before its first message
      async *count() {
        throw new TypeError("secret internals");
      },
    });
    const error = await failure(call(service.client));
    expect(error.code).toBe(Code.Internal);
    expect(error.message).not.toContain("secret");
    const logged = service.lines.find(({ level }) => level === "error");
    expect(error.message).toContain(String(logged?.fields.trace));
    expect(logged?.fields.err).toMatchObject({ message: "secret internals" });
  });

  it("passes on what its handler calls unknown itself", async () => {
    await using service = await open(way, {
      echo: () => {
        throw new ConnectError("nobody knows", Code.Unknown);
      },
    });
    const error = await failure(service.client.echo({ text: "hello" }));
    expect(error).toMatchObject({ code: Code.Unknown, rawMessage: "nobody knows" });
  });

  it("doesn't pass on what another service said about our call to it", async () => {
    const codes = [Code.Unknown, Code.NotFound, Code.Unauthenticated, Code.ResourceExhausted, Code.Unavailable];
    const seen: Code[] = [];
    for (const code of codes) {
      await using other = await open("in memory", {
        echo() {
          throw new ConnectError("said by the other", code);
        },
      });
      await using service = await open(way, { echo: (request) => other.client.echo(request) });
      seen.push((await failure(service.client.echo({ text: "hello" }))).code);
    }
    expect(seen).toEqual([Code.Internal, Code.Internal, Code.Internal, Code.ResourceExhausted, Code.Unavailable]);
  });

  it("has a deadline of 10 s unless it says otherwise, streams none", async () => {
    const left: (number | undefined)[] = [];
    const note = (context: HandlerContext) => left.push(context.timeoutMs());
    await using service = await open(way, {
      echo({ text }, context) {
        note(context);
        return { text };
      },
      async *count(_request, context) {
        note(context);
        yield { number: 1 };
      },
    });
    await service.client.echo({ text: "hello" });
    await service.client.echo({ text: "hello" }, { timeoutMs: 60_000 });
    // Without one on the client's side, the server has its own.
    await service.client.echo({ text: "hello" }, { timeoutMs: 0 });
    await collect(service.client.count({ count: 1 }));
    expect(left.map((ms) => ms && Math.ceil(ms / 1000))).toEqual([10, 60, 10, undefined]);
  });

  it("ends at its deadline, even if the handler doesn't notice", async () => {
    let aborted = false;
    await using service = await open(way, {
      async echo({ text }, { signal }) {
        signal.addEventListener("abort", () => {
          aborted = true;
        });
        await sleep(300);
        return { text };
      },
    });
    const error = await failure(service.client.echo({ text: "hello" }, { timeoutMs: 50 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    await expect.poll(() => aborted, patience).toBe(true);
    await expect
      .poll(() => calls(service.lines), patience)
      .toMatchObject([
        // Whichever of the two ends it first.
        { code: expect.stringMatching(/^(deadline_exceeded|canceled)$/) },
      ]);
  });

  it("passes what is left of its deadline on to the calls that its handler makes", async () => {
    const left: number[] = [];
    await using inner = await open(way, {
      echo({ text }, context) {
        left.push(context.timeoutMs() ?? 0);
        return { text };
      },
      async *count(_request, context) {
        left.push(context.timeoutMs() ?? 0);
        yield { number: 1 };
      },
    });
    await using outer = await open(way, {
      async echo(request) {
        await sleep(20);
        await inner.client.echo(request);
        await collect(inner.client.count({ count: 1 }));
        return inner.client.echo(request, { timeoutMs: 100 });
      },
    });
    await outer.client.echo({ text: "hello" }, { timeoutMs: 5_000 });
    expect(left).toHaveLength(3);
    expect(left[0]).toBeLessThanOrEqual(4_981);
    expect(left[1]).toBeLessThanOrEqual(left[0] ?? 0);
    expect(left[2]).toBeLessThanOrEqual(100);
    expect(Math.min(...left)).toBeGreaterThan(0);
  });

  it("no longer limits what its handler left running", async () => {
    const { promise: background, resolve } = Promise.withResolvers<number | undefined>();
    await using service = await open(way, {
      echo({ text }) {
        setTimeout(() => resolve(remainingMs()), 50);
        return { text };
      },
    });
    await service.client.echo({ text: "hello" });
    expect(await background).toBeUndefined();
  });

  it("belongs to one trace with the calls that its handler makes", async () => {
    await using inner = await open(way, {
      echo: (request) => ({ text: currentTrace()?.traceId ?? "", words: request.words }),
    });
    await using outer = await open(way, {
      echo: (request) => inner.client.echo(request),
      async *count() {
        yield { number: 1 };
        await inner.client.echo({ text: "from a stream" });
        yield { number: 2 };
      },
    });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const answer = await outer.client.echo({ text: "hello" }, { headers: { traceparent } });
    expect(answer.text).toBe("0af7651916cd43dd8448eb211c80319c");
    await collect(outer.client.count({ count: 2 }));
    await expect.poll(() => calls(outer.lines).length, patience).toBe(2);
    const [first, second] = calls(outer.lines);
    const [innerFirst, innerSecond] = calls(inner.lines);
    expect(first).toMatchObject({ trace: "0af7651916cd43dd8448eb211c80319c", parent: "b7ad6b7169203331" });
    expect(innerFirst).toMatchObject({ trace: first?.trace, parent: first?.span });
    expect(innerSecond).toMatchObject({ trace: second?.trace, parent: second?.span });
    expect(second?.trace).not.toBe(first?.trace);
  });

  it("is cancelled by its caller, and its handler hears of it", async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    await using service = await open(way, {
      async *count(_request, { signal }) {
        try {
          yield { number: 1 };
          await new Promise<void>((end) => signal.addEventListener("abort", () => end()));
        } finally {
          resolve();
        }
      },
    });
    const cancel = new AbortController();
    const stream = service.client.count({ count: 2 }, { signal: cancel.signal })[Symbol.asyncIterator]();
    expect((await stream.next()).value).toMatchObject({ number: 1 });
    cancel.abort();
    expect((await failure(stream.next())).code).toBe(Code.Canceled);
    await aborted;
    await expect.poll(() => calls(service.lines), patience).toMatchObject([{ code: "canceled" }]);
  });

  it("can't be larger than 4 MiB, nor its answer", async () => {
    await using service = await open(way, {
      echo: ({ text }) => ({ text: text.repeat(5) }),
    });
    const long = "x".repeat(1024 * 1024);
    expect((await failure(service.client.echo({ text: long.repeat(5) }))).code).toBe(Code.ResourceExhausted);
    expect((await failure(service.client.echo({ text: long }))).code).toBe(Code.ResourceExhausted);
  });

  it("to a method that isn't there is unimplemented", async () => {
    const routes = () => {};
    const logger = recordingLogger();
    if (way === "in memory") {
      const client = createClient(
        EchoService,
        createInMemoryTransport({ routes, authenticate: echoAuthenticate, logger }),
      );
      expect((await failure(client.echo({ text: "hello" }))).code).toBe(Code.Unimplemented);
      return;
    }
    await using server = await startServer({ routes });
    const protocol = way === "gRPC" ? "grpc" : "connect";
    const transport = createClientTransport({ baseUrl: server.url, protocol });
    expect((await failure(createClient(EchoService, transport).echo({ text: "hello" }))).code).toBe(Code.Unimplemented);
    transport.close();
  });

  it("leaves one line in the log: method, code, time, protocol, caller, trace", async () => {
    await using service = await open(way, {}, "user");
    await service.client.echoUser({ text: "hello" });
    await failure(service.client.echoWorker({ text: "hello" }));
    await expect.poll(() => calls(service.lines).length, patience).toBe(2);
    const protocol = { gRPC: "grpc", Connect: "connect", "in memory": "memory" }[way];
    const common = { ms: expect.any(Number), protocol, caller: "user", trace: expect.stringMatching(/^[0-9a-f]{32}$/) };
    expect(calls(service.lines)).toMatchObject([
      { method: "kinora.testing.v1.EchoService/EchoUser", code: "ok", ...common },
      { method: "kinora.testing.v1.EchoService/EchoWorker", code: "permission_denied", ...common },
    ]);
  });

  it("goes through the service's own interceptors", async () => {
    const logger = recordingLogger();
    const seen: string[] = [];
    const options = {
      routes: echoRoutes(),
      authenticate: echoAuthenticate,
      logger,
      interceptors: [
        (next: Parameters<import("@connectrpc/connect").Interceptor>[0]) => (request: Parameters<typeof next>[0]) => {
          seen.push(request.method.name);
          return next(request);
        },
      ],
    };
    await using server = await startServer(options);
    const transport =
      way === "in memory"
        ? createInMemoryTransport(options)
        : createClientTransport({ baseUrl: server.url, protocol: way === "gRPC" ? "grpc" : "connect" });
    await createClient(EchoService, transport).echo({ text: "hello" });
    expect(seen).toEqual(["Echo"]);
  });
});
