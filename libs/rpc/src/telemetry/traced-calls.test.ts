import { Code, ConnectError, createClient, type ServiceImpl } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { AlwaysOffSampler, ParentBasedSampler } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { currentTrace } from "../call/call-scope.ts";
import { createClientTransport } from "../client/client-transport.ts";
import { createInMemoryTransport } from "../client/in-memory-transport.ts";
import { DomainError } from "../domain-error.ts";
import { createServer } from "../server/create-server.ts";
import { echoAuthenticate, echoRoutes } from "../testing/echo-service.ts";
import { type LogLine, recordingLogger } from "../testing/recording-logger.ts";
import { type RecordingSdk, recordingSdk } from "../testing/recording-sdk.ts";
import { startServer } from "../testing/start-server.ts";
import type { CallTelemetry } from "./call-telemetry.ts";
import { createContextManager } from "./context-manager.ts";
import { createCallTelemetry } from "./create-call-telemetry.ts";

const patience = { timeout: 10_000 };
const ways = ["gRPC", "Connect", "gRPC-Web", "in memory"] as const;

/** An echo service and a client of it that both report to `telemetry`. */
async function open(
  way: (typeof ways)[number],
  telemetry: CallTelemetry | undefined,
  own: Partial<ServiceImpl<typeof EchoService>>,
) {
  const logger = recordingLogger();
  const options = { routes: echoRoutes(own), authenticate: echoAuthenticate, logger, telemetry };
  if (way === "in memory") {
    const client = createClient(EchoService, createInMemoryTransport(options));
    return { client, lines: logger.lines, address: undefined, async [Symbol.asyncDispose]() {} };
  }
  const server = createServer(options);
  const { url, port } = await server.listen({ port: 0, host: "127.0.0.1" });
  const protocol = ({ gRPC: "grpc", Connect: "connect", "gRPC-Web": "grpc-web" } as const)[way];
  const transport = createClientTransport({ baseUrl: url, protocol, telemetry });
  return {
    client: createClient(EchoService, transport),
    lines: logger.lines,
    address: { "server.address": "127.0.0.1", "server.port": port },
    async [Symbol.asyncDispose]() {
      transport.close();
      await server.close(0);
    },
  };
}

const calls = (lines: LogLine[]) => lines.filter(({ message }) => message === "call").map(({ fields }) => fields);

function named(sdk: RecordingSdk, kind: SpanKind, method: string) {
  const span = sdk.spans().find((one) => one.kind === kind && one.name.endsWith(`/${method}`));
  if (span === undefined) throw new Error(`no span of ${method}`);
  return span;
}

describe.each([
  ["ours", createContextManager],
  ["OpenTelemetry's own", () => new AsyncLocalStorageContextManager()],
  ["none", undefined],
] as const)("with a context manager that is %s, calls", (_whose, createManager) => {
  beforeEach(() => {
    if (createManager !== undefined) context.setGlobalContextManager(createManager().enable());
  });
  afterEach(() => context.disable());

  it.each(ways)("make one trace by %s, from the client through two services, unary and streams", async (way) => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry(sdk);
    await using inner = await open(way, telemetry, {});
    await using outer = await open(way, telemetry, {
      async *count(request) {
        yield { number: 1 };
        await inner.client.echo({ text: "from the middle of a stream" });
        yield* inner.client.count(request);
      },
    });
    expect((await Array.fromAsync(outer.client.count({ count: 2 }))).length).toBe(3);
    await expect.poll(() => sdk.spans().length, patience).toBe(6);
    await expect.poll(() => calls(inner.lines).length, patience).toBe(2);

    const ids = sdk.spans().map((span) => span.spanContext());
    expect(new Set(ids.map(({ traceId }) => traceId)).size).toBe(1);
    const parents = new Map(sdk.spans().map((span) => [span.spanContext().spanId, span.parentSpanContext?.spanId]));
    const ancestry = (id: string | undefined): number => (id === undefined ? 0 : 1 + ancestry(parents.get(id)));
    // client → outer service → its client → inner service
    expect(ids.map(({ spanId }) => ancestry(spanId)).sort()).toEqual([1, 2, 3, 3, 4, 4]);
    expect(ancestry(named(sdk, SpanKind.SERVER, "Echo").spanContext().spanId)).toBe(4);

    for (const line of [...calls(inner.lines), ...calls(outer.lines)]) {
      expect(ids).toContainEqual(expect.objectContaining({ traceId: line.trace, spanId: line.span }));
      expect(line.parent).toBe(parents.get(String(line.span)));
    }
  });
});

describe.each(ways)("a call by %s", (way) => {
  beforeEach(() => {
    context.setGlobalContextManager(createContextManager());
  });
  afterEach(() => context.disable());

  it("says how and where it went, and how it ended", async () => {
    await using sdk = recordingSdk();
    await using service = await open(way, createCallTelemetry(sdk), {
      echo({ text }) {
        throw text === "missing"
          ? new DomainError("not_found", "there is no such thing")
          : new Error("password=hunter2 in the database's address");
      },
    });
    const failure = (text: string) =>
      service.client.echo({ text }).then(
        () => expect.fail("it succeeded"),
        (error) => ConnectError.from(error),
      );
    await failure("missing");
    const internal = await failure("broken");
    await expect.poll(() => sdk.spans().length, patience).toBe(4);

    const grpc = way === "gRPC" || way === "gRPC-Web";
    const system = grpc ? "grpc" : way === "Connect" ? "connectrpc" : "memory";
    const [notFound, internalCode] = grpc ? ["NOT_FOUND", "INTERNAL"] : ["not_found", "internal"];
    const common = {
      "rpc.system.name": system,
      "rpc.method": "kinora.testing.v1.EchoService/Echo",
      ...service.address,
    };
    const of = (kind: SpanKind) => sdk.spans().filter((span) => span.kind === kind);
    const [served, broken] = of(SpanKind.SERVER);
    const [asked, refused] = of(SpanKind.CLIENT);
    expect(served?.attributes).toEqual({ ...common, "rpc.status_code": notFound });
    expect(served?.status.code).toBe(SpanStatusCode.UNSET);
    expect(broken?.attributes).toEqual({ ...common, "rpc.status_code": internalCode, "error.type": internalCode });
    expect(broken?.status).toEqual({ code: SpanStatusCode.ERROR, message: internal.rawMessage });
    expect(asked?.attributes).toEqual({ ...common, "rpc.status_code": notFound, "error.type": notFound });
    expect(asked?.status).toEqual({ code: SpanStatusCode.ERROR, message: "there is no such thing" });
    expect(refused?.status.code).toBe(SpanStatusCode.ERROR);
    expect(JSON.stringify(sdk.spans().map(({ status, attributes }) => [status, attributes]))).not.toContain("hunter2");
    for (const side of ["server", "client"] as const) {
      const durations = await sdk.recordedDurations(side);
      expect(durations.map(({ attributes }) => attributes["rpc.status_code"])).toEqual([notFound, internalCode]);
    }
  });

  it("takes as long as its stream; one that is left is cancelled", async () => {
    await using sdk = recordingSdk();
    await using service = await open(way, createCallTelemetry(sdk), {
      async *count(_request, { signal }) {
        yield { number: 1 };
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      },
    });
    const leave = new AbortController();
    const messages = service.client.count({ count: 2 }, { signal: leave.signal })[Symbol.asyncIterator]();
    await messages.next();
    expect(sdk.spans()).toEqual([]);
    leave.abort();
    await expect(messages.next()).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => sdk.spans().length, patience).toBe(2);
    for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
      expect(String(named(sdk, kind, "Count").attributes["rpc.status_code"])).toMatch(/^(CANCELLED|canceled)$/);
    }
  });

  it("that nobody records is still one trace in the log", async () => {
    await using sdk = recordingSdk({ sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) });
    const telemetry = createCallTelemetry({ ...sdk, samplerReadsAttributes: false });
    await using inner = await open(way, telemetry, {
      echo: () => ({ text: `${currentTrace()?.flags}` }),
    });
    await using outer = await open(way, telemetry, { echo: (request) => inner.client.echo(request) });
    expect((await outer.client.echo({ text: "hello" })).text).toBe("00");
    await expect.poll(() => calls(outer.lines).length, patience).toBe(1);
    const [line] = calls(outer.lines);
    expect(calls(inner.lines)).toMatchObject([{ trace: line?.trace }]);
    expect(sdk.spans()).toEqual([]);
    expect(await sdk.recordedDurations("server")).toMatchObject([{ count: 2 }]);
  });

  it("passes a trace and its state on where nobody looks", async () => {
    await using inner = await open(way, undefined, {
      echo: (_request, { requestHeader }) => ({
        text: `${requestHeader.get("traceparent")} ${requestHeader.get("tracestate")}`,
      }),
    });
    await using outer = await open(way, undefined, { echo: (request) => inner.client.echo(request) });
    const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", tracestate: "other=1" };
    const { text } = await outer.client.echo({ text: "hello" }, { headers });
    expect(text).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-00 other=1$/);
  });

  it("belongs to a span that its handler makes, and so does what the handler logs", async () => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry(sdk);
    await using inner = await open(way, telemetry, {});
    const tracer = sdk.tracerProvider.getTracer("test");
    await using outer = await open(way, telemetry, {
      echo: (request) =>
        tracer.startActiveSpan("work", async (span) => {
          expect(currentTrace()?.traceId).toBe(span.spanContext().traceId);
          const answer = await inner.client.echo(request);
          expect(trace.getActiveSpan()).toBe(span);
          span.end();
          return answer;
        }),
    });
    await outer.client.echo({ text: "hello" });
    await expect.poll(() => sdk.spans().length, patience).toBe(5);
    const work = sdk.spans().find(({ name }) => name === "work");
    const children = sdk.spans().filter((span) => span.parentSpanContext?.spanId === work?.spanContext().spanId);
    expect(children).toMatchObject([{ kind: SpanKind.CLIENT }]);
  });
});

it("made by a plain HTTP route belongs to the route's trace, where its caller began one", async () => {
  await using sdk = recordingSdk();
  const telemetry = createCallTelemetry(sdk);
  await using inner = await open("gRPC", telemetry, {});
  await using outer = await startServer({
    http: [
      {
        path: "/route",
        async handle(_request, response) {
          await inner.client.echo({ text: "hello" });
          response.end(`${currentTrace()?.traceId}`);
        },
      },
    ],
    telemetry,
  });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const answer = await fetch(`${outer.url}/route`, { headers: { traceparent } });
  expect(await answer.text()).toBe("0af7651916cd43dd8448eb211c80319c");
  await expect.poll(() => sdk.spans().length, patience).toBe(2);
  const line = outer.lines.find(({ message }) => message === "request");
  const client = named(sdk, SpanKind.CLIENT, "Echo");
  expect(client.spanContext().traceId).toBe(line?.fields.trace);
  expect(client.parentSpanContext?.spanId).toBe(line?.fields.span);
});

it("is one span for its client, however often it is tried", async () => {
  await using sdk = recordingSdk();
  let tries = 0;
  await using service = await open("gRPC", createCallTelemetry(sdk), {
    echo({ text }) {
      tries++;
      if (tries < 3) throw new ConnectError("not yet", Code.Unavailable);
      return { text };
    },
  });
  await service.client.echo({ text: "hello" });
  await expect.poll(() => sdk.spans().length, patience).toBe(4);
  const client = named(sdk, SpanKind.CLIENT, "Echo");
  expect(client.attributes["rpc.status_code"]).toBe("OK");
  const served = sdk.spans().filter(({ kind }) => kind === SpanKind.SERVER);
  expect(served.map(({ attributes }) => attributes["rpc.status_code"])).toEqual(["UNAVAILABLE", "UNAVAILABLE", "OK"]);
  for (const span of served) {
    expect(span.parentSpanContext?.spanId).toBe(client.spanContext().spanId);
  }
  expect(await sdk.recordedDurations("client")).toMatchObject([{ count: 1 }]);
});

it("carries its caller's baggage on", async () => {
  await using sdk = recordingSdk();
  const telemetry = createCallTelemetry(sdk);
  await using inner = await open("gRPC", telemetry, {
    echo: (_request, { requestHeader }) => ({ text: `${requestHeader.get("baggage")}` }),
  });
  await using outer = await open("gRPC", telemetry, { echo: (request) => inner.client.echo(request) });
  const answer = await outer.client.echo({ text: "hello" }, { headers: { baggage: "tenant=acme" } });
  expect(answer.text).toBe("tenant=acme");
});

it("leaves the probes of gRPC's own services out", async () => {
  await using sdk = recordingSdk();
  await using service = await open("Connect", createCallTelemetry(sdk), {});
  const url = `http://127.0.0.1:${service.address?.["server.port"]}/grpc.health.v1.Health/Check`;
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  expect(answer.status).toBe(200);
  await expect.poll(() => service.lines.some(({ message }) => message === "call"), patience).toBe(true);
  expect(sdk.spans()).toEqual([]);
});
