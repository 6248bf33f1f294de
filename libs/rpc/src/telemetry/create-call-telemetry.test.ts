import { Code, ConnectError } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AlwaysOffSampler, ParentBasedSampler, type Sampler, SamplingDecision } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, it } from "vitest";
import { recordingSdk } from "../testing/recording-sdk.ts";
import type { ClientCallSpan, RequestHeaders } from "./call-telemetry.ts";
import { createCallTelemetry } from "./create-call-telemetry.ts";

const { echo, count } = EchoService.method;
const name = "kinora.testing.v1.EchoService/Echo";
const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const target = { address: "example.org", port: 8081 };

const headers = (given: Record<string, string>): RequestHeaders => ({ header: (name) => given[name] });
const sentBy = (call: ClientCallSpan) => {
  const sent = new Map<string, string>();
  call.inject((name, value) => sent.set(name, value));
  return Object.fromEntries(sent);
};

describe("without an SDK", () => {
  it("has nothing to say: calls keep ids of their own", () => {
    const telemetry = createCallTelemetry();
    const sent = new Map<string, string>();
    const call = telemetry.serverCall(echo, "grpc", headers({ traceparent: `00-${traceId}-${spanId}-01` }));
    const made = telemetry.clientCall(echo, "grpc", target);
    made.inject((name, value) => sent.set(name, value));
    made.end("ok", undefined, 1);
    call.end("ok", undefined, 1);
    expect([call.trace, call.context, made.trace, sent.size]).toEqual([undefined, undefined, undefined, 0]);
  });
});

describe("the span of a call that came in", () => {
  it("has the conventions' name, kind and attributes", async () => {
    await using sdk = recordingSdk();
    const call = createCallTelemetry(sdk).serverCall(echo, "grpc", headers({ ":authority": "example.org:8081" }));
    call.end("ok", undefined, 12);
    const [span] = sdk.spans();
    expect(span).toMatchObject({
      name,
      kind: SpanKind.SERVER,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        "rpc.system.name": "grpc",
        "rpc.method": name,
        "rpc.status_code": "OK",
        "server.address": "example.org",
        "server.port": 8081,
      },
    });
    expect(span?.attributes).not.toHaveProperty("error.type");
    expect(call.trace).toMatchObject({ traceId: span?.spanContext().traceId, spanId: span?.spanContext().spanId });
  });

  it("says by which address it was reached, the last and the one before", async () => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry(sdk);
    for (const given of [{ host: "a.org" }, { host: "b.org:1" }, { host: "a.org" }, {}, { host: "not a host" }]) {
      telemetry.serverCall(echo, "connect", headers(given)).end("ok", undefined, 1);
    }
    const reached = sdk.spans().map(({ attributes }) => [attributes["server.address"], attributes["server.port"]]);
    expect(reached).toEqual([
      ["a.org", undefined],
      ["b.org", 1],
      ["a.org", undefined],
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it("fails by what is the server's fault, not by what is its caller's", async () => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry(sdk);
    const end = (error: ConnectError) => {
      telemetry.serverCall(echo, "connect", headers({})).end(error.code, error, 1);
    };
    end(new ConnectError("there is no such thing", Code.NotFound));
    end(new ConnectError("try again later", Code.Unavailable));
    const [callers, servers] = sdk.spans();
    expect(callers?.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(callers?.attributes).toMatchObject({ "rpc.status_code": "not_found" });
    expect(callers?.attributes).not.toHaveProperty("error.type");
    expect(servers?.status).toEqual({ code: SpanStatusCode.ERROR, message: "try again later" });
    expect(servers?.attributes).toMatchObject({ "rpc.status_code": "unavailable", "error.type": "unavailable" });
  });

  it("never shows an error that isn't made for callers", async () => {
    await using sdk = recordingSdk();
    createCallTelemetry(sdk).serverCall(echo, "grpc", headers({})).end(Code.Internal, new Error("password=hunter2"), 1);
    expect(sdk.spans()[0]?.status).toEqual({ code: SpanStatusCode.ERROR });
  });

  it("continues its caller's trace", async () => {
    await using sdk = recordingSdk();
    const given = { traceparent: `00-${traceId}-${spanId}-01`, tracestate: "other=1" };
    const call = createCallTelemetry(sdk).serverCall(echo, "grpc", headers(given));
    call.end("ok", undefined, 1);
    const [span] = sdk.spans();
    expect(span?.spanContext()).toMatchObject({ traceId, traceFlags: 1 });
    expect(span?.spanContext().traceState?.serialize()).toBe("other=1");
    expect(span?.parentSpanContext).toMatchObject({ spanId, isRemote: true });
    expect(call.trace).toMatchObject({ traceId, parentId: spanId, flags: "01" });
  });
});

describe("the span of a call that is made", () => {
  afterEach(() => context.disable());

  it("has the conventions' name, kind and attributes; every code but ok is a failure", async () => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry(sdk);
    telemetry.clientCall(echo, "grpc", target).end("ok", undefined, 1);
    const missing = new ConnectError("there is no such thing", Code.NotFound);
    telemetry.clientCall(echo, "memory", undefined).end(missing.code, missing, 1);
    const [good, bad] = sdk.spans();
    expect(good).toMatchObject({
      name,
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        "rpc.system.name": "grpc",
        "rpc.method": name,
        "rpc.status_code": "OK",
        "server.address": "example.org",
        "server.port": 8081,
      },
    });
    expect(bad).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: "there is no such thing" },
      attributes: { "rpc.system.name": "memory", "rpc.status_code": "not_found", "error.type": "not_found" },
    });
    expect(bad?.attributes).not.toHaveProperty("server.address");
  });

  it("is sent along as the parent, with the trace's state and flags", async () => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry(sdk);
    const given = { traceparent: `00-${traceId}-${spanId}-01`, tracestate: "other=1" };
    const outer = telemetry.serverCall(echo, "grpc", headers(given));
    const inner = sdk.run(outer.context, () => telemetry.clientCall(count, "grpc", target));
    inner.end("ok", undefined, 1);
    outer.end("ok", undefined, 1);
    const [client, server] = sdk.spans();
    expect(sentBy(inner)).toEqual({
      traceparent: `00-${traceId}-${client?.spanContext().spanId}-01`,
      tracestate: "other=1",
    });
    expect(client?.parentSpanContext?.spanId).toBe(server?.spanContext().spanId);
    expect(inner.trace).toMatchObject({ traceId, spanId: client?.spanContext().spanId });
  });
});

describe("a trace that nobody records", () => {
  it.each([true, false])("goes on as such (sampler reads attributes: %s)", async (samplerReadsAttributes) => {
    await using sdk = recordingSdk({ sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) });
    const telemetry = createCallTelemetry({ ...sdk, samplerReadsAttributes });
    const given = { traceparent: `00-${traceId}-${spanId}-00`, tracestate: "other=1" };
    const outer = telemetry.serverCall(echo, "grpc", headers(given));
    const inner = sdk.run(outer.context, () => telemetry.clientCall(echo, "grpc", target));
    inner.end("ok", undefined, 1);
    outer.end("ok", undefined, 1);
    expect(sentBy(inner)).toEqual({
      traceparent: `00-${traceId}-${inner.trace?.spanId}-00`,
      tracestate: "other=1",
    });
    expect(outer.trace).toMatchObject({ traceId, parentId: spanId, flags: "00" });
    expect(sdk.spans()).toEqual([]);
    // Its calls count all the same.
    expect(await sdk.recordedDurations("server")).toMatchObject([{ count: 1 }]);
    expect(await sdk.recordedDurations("client")).toMatchObject([{ count: 1 }]);
    context.disable();
  });

  it("is the sampler's decision, by the attributes of the call", async () => {
    const seen: unknown[] = [];
    const sampler: Sampler = {
      shouldSample(_context, _traceId, _name, _kind, attributes) {
        seen.push({ ...attributes });
        return { decision: SamplingDecision.NOT_RECORD };
      },
    };
    await using sdk = recordingSdk({ sampler });
    createCallTelemetry(sdk)
      .serverCall(echo, "grpc", headers({ host: "a.org" }))
      .end("ok", undefined, 1);
    expect(seen).toEqual([{ "rpc.system.name": "grpc", "rpc.method": name, "server.address": "a.org" }]);
  });

  it("doesn't lose attributes where the sampler doesn't look at them", async () => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry({ ...sdk, samplerReadsAttributes: false });
    telemetry.serverCall(echo, "grpc", headers({ host: "a.org" })).end("ok", undefined, 1);
    telemetry.clientCall(echo, "grpc", target).end("ok", undefined, 1);
    expect(sdk.spans().map(({ attributes }) => attributes)).toMatchObject([
      { "rpc.method": name, "server.address": "a.org" },
      { "rpc.method": name, "server.address": "example.org" },
    ]);
  });
});

describe("the durations of calls", () => {
  it("are histograms in seconds by method, system, code and, of calls made, server", async () => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry(sdk);
    for (const ms of [3, 30, 300]) {
      telemetry.serverCall(echo, "grpc", headers({ host: "a.org" })).end("ok", undefined, ms);
    }
    telemetry.serverCall(echo, "grpc", headers({})).end(Code.Internal, undefined, 1);
    telemetry.serverCall(count, "connect", headers({})).end(Code.NotFound, undefined, 1);
    telemetry.clientCall(echo, "grpc", target).end(Code.Unavailable, undefined, 7);
    const method = { "rpc.method": name, "rpc.system.name": "grpc" };
    expect(await sdk.recordedDurations("server")).toEqual([
      {
        attributes: { ...method, "rpc.status_code": "OK" },
        unit: "s",
        count: 3,
        sum: expect.closeTo(0.333, 9),
        buckets: { 0.005: 1, 0.05: 1, 0.5: 1 },
      },
      {
        attributes: { ...method, "rpc.status_code": "INTERNAL", "error.type": "INTERNAL" },
        unit: "s",
        count: 1,
        sum: 0.001,
        buckets: { 0.005: 1 },
      },
      {
        attributes: {
          "rpc.method": "kinora.testing.v1.EchoService/Count",
          "rpc.system.name": "connectrpc",
          "rpc.status_code": "not_found",
        },
        unit: "s",
        count: 1,
        sum: 0.001,
        buckets: { 0.005: 1 },
      },
    ]);
    expect(await sdk.recordedDurations("client")).toMatchObject([
      {
        attributes: {
          ...method,
          "rpc.status_code": "UNAVAILABLE",
          "error.type": "UNAVAILABLE",
          "server.address": "example.org",
          "server.port": 8081,
        },
        count: 1,
      },
    ]);
  });

  it("are measured without traces as well", async () => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry({ meterProvider: sdk.meterProvider });
    const call = telemetry.serverCall(echo, "grpc", headers({ traceparent: `00-${traceId}-${spanId}-01` }));
    const made = telemetry.clientCall(echo, "grpc", target);
    call.end("ok", undefined, 1);
    made.end("ok", undefined, 1);
    expect([call.trace, made.trace, sentBy(made)]).toEqual([undefined, undefined, {}]);
    expect(await sdk.recordedDurations("server")).toMatchObject([{ count: 1 }]);
    expect(await sdk.recordedDurations("client")).toMatchObject([{ count: 1 }]);
    expect(sdk.spans()).toEqual([]);
  });

  it("don't ask for a meter provider", async () => {
    await using sdk = recordingSdk();
    const telemetry = createCallTelemetry({ tracerProvider: sdk.tracerProvider });
    telemetry.serverCall(echo, "grpc", headers({})).end("ok", undefined, 1);
    expect(sdk.spans()).toHaveLength(1);
  });
});

it("takes an SDK that is registered globally", async () => {
  await using sdk = recordingSdk();
  trace.setGlobalTracerProvider(sdk.tracerProvider);
  try {
    createCallTelemetry().serverCall(echo, "grpc", headers({})).end("ok", undefined, 1);
    expect(sdk.spans()).toHaveLength(1);
  } finally {
    trace.disable();
  }
});
