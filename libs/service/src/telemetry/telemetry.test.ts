import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { createClientTransport } from "@kinora/rpc";
import { freePort, startNode, waitUntil } from "@kinora/testing";
import { describe, expect, it } from "vitest";
import { readConfig } from "../config.ts";
import { type CollectedSpan, startCollector } from "../testing/otlp-collector.ts";
import { telemetryEndpoints } from "./telemetry.ts";
import { telemetrySettings } from "./telemetry-settings.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

type Line = Record<string, unknown>;

/** A running service of `chain-program.ts`. */
async function startService(name: string, env: Record<string, string> = {}) {
  const program = startNode("libs/service/src/testing/chain-program.ts", { env: { NAME: name, ...env } });
  const lines = (): Line[] =>
    program
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
  const listening = () => lines().find(({ msg }) => msg === "listening");
  await waitUntil(`${name} listens`, () => listening() !== undefined);
  const url = String(listening()?.url);
  return {
    url,
    lines,
    calls: () => lines().filter(({ msg }) => msg === "call"),
    stop: () => program.stop(),
    async echo(headers: Record<string, string> = {}) {
      const transport = createClientTransport({ baseUrl: url });
      try {
        return (await createClient(EchoService, transport).echo({ text: "hello" }, { headers })).text;
      } finally {
        transport.close();
      }
    },
    async [Symbol.asyncDispose]() {
      await program.stop("SIGKILL");
    },
  };
}

const service = (span: CollectedSpan) => span.resource["service.name"];

describe("with a collector", () => {
  it("a call through two services is one trace, in the collector and in the logs", async () => {
    await using collector = await startCollector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20key" };
    await using last = await startService("last", env);
    await using first = await startService("first", { ...env, NEXT_URL: last.url, OTEL_SERVICE_NAME: "renamed" });
    const traces = await first.echo({ traceparent: `00-${traceId}-${spanId}-01`, tracestate: "other=1" });
    expect(traces).toBe(`${traceId} ${traceId}`);
    await waitUntil("both log the call", () => first.calls().length + last.calls().length === 2);
    // What is left is sent when a service ends.
    expect(await Promise.all([first.stop(), last.stop()])).toMatchObject([{ code: 0 }, { code: 0 }]);

    const spans = collector.spans();
    expect(spans).toHaveLength(3);
    const outer = spans.find((span) => service(span) === "renamed" && span.kind === 2);
    const between = spans.find((span) => service(span) === "renamed" && span.kind === 3);
    const inner = spans.find((span) => service(span) === "last");
    expect([outer?.parentSpanId, between?.parentSpanId, inner?.parentSpanId]).toEqual([
      spanId,
      outer?.spanId,
      between?.spanId,
    ]);
    for (const span of spans) {
      expect(span).toMatchObject({ traceId, traceState: "other=1", name: "kinora.testing.v1.EchoService/Echo" });
      expect(span.resource).toMatchObject({ "service.namespace": "kinora", "telemetry.sdk.language": "nodejs" });
      expect(span.attributes).toMatchObject({ "rpc.system.name": "grpc", "rpc.status_code": "OK" });
      expect(span.attributes["server.address"]).toBe("127.0.0.1");
    }
    expect(first.calls()).toMatchObject([{ trace: traceId, span: outer?.spanId, parent: spanId }]);
    expect(last.calls()).toMatchObject([{ trace: traceId, span: inner?.spanId, parent: between?.spanId }]);
    expect(collector.headers().every((headers) => headers["api-key"] === "a key")).toBe(true);

    const durations = (side: string) =>
      collector
        .metrics(`rpc.${side}.call.duration`)
        .flatMap(({ unit, histogram }) => (histogram?.points ?? []).map((point) => ({ unit, ...point })));
    expect(durations("server")).toHaveLength(2);
    expect(durations("client")).toMatchObject([
      {
        unit: "s",
        count: 1,
        attributes: {
          "rpc.system.name": "grpc",
          "rpc.method": "kinora.testing.v1.EchoService/Echo",
          "rpc.status_code": "OK",
          "server.address": "127.0.0.1",
          "server.port": Number(new URL(last.url).port),
        },
      },
    ]);
    expect(collector.metrics("v8js.memory.heap.used")[0]?.sum?.points.length).toBeGreaterThan(3);
    expect(collector.metrics("process.cpu.time")).toHaveLength(2);
  });

  it("a service samples as it is told, and counts every call", async () => {
    await using collector = await startCollector();
    await using sparing = await startService("sparing", {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0",
    });
    const recorded = "9".repeat(32);
    await sparing.echo({ traceparent: `00-${recorded}-${spanId}-01` });
    await sparing.echo({ traceparent: `00-${traceId}-${spanId}-00` });
    await sparing.stop();
    expect(collector.spans()).toMatchObject([{ traceId: recorded }]);
    expect(collector.metrics("rpc.server.call.duration")).toMatchObject([{ histogram: { points: [{ count: 2 }] } }]);
  });

  it("a service sends only what it is asked for", async () => {
    await using collector = await startCollector();
    await using only = await startService("only", {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
    });
    await only.echo();
    expect(await only.stop()).toMatchObject({ code: 0 });
    expect(collector.spans()).toMatchObject([{ kind: 2 }]);
    expect(collector.metrics("rpc.server.call.duration")).toEqual([]);
  });
});

describe("a service whose collector", () => {
  it("isn't there says so once, and works; when it is back says that, and reports", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/v1/traces`;
    await using service = await startService("patient", {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_TIMEOUT: "50",
      OTEL_BSP_SCHEDULE_DELAY: "10",
    });
    const said = () => service.lines().filter(({ collector }) => collector === url);
    await waitUntil("it complains", async () => {
      await service.echo();
      return said().length > 0;
    });
    // Several more exports fail in this time.
    for (let i = 0; i < 15; i++) {
      await service.echo();
      await sleep(20);
    }
    expect(said()).toMatchObject([{ level: "warn" }]);
    await using collector = await startCollector(port);
    await waitUntil("it reports", async () => {
      await service.echo();
      return said().length > 1;
    });
    expect(said()).toMatchObject([{ level: "warn" }, { level: "info" }]);
    expect(collector.spans().length).toBeGreaterThan(0);
  });

  it("isn't there when it ends, ends in time", async () => {
    await using service = await startService("lonely", {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    });
    await service.echo();
    expect(await service.stop()).toMatchObject({ code: 0, stderr: "" });
  });

  it("never answers doesn't keep it from ending", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : 0;
    await using service = await startService("hurried", { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
    await service.echo();
    expect(await service.stop()).toMatchObject({ code: 0, stderr: "" });
    silent.close();
    silent.closeAllConnections();
  });
});

describe("OpenTelemetry", () => {
  // Tells of every module of it that is loaded.
  const watch = `import { registerHooks } from "node:module";
    registerHooks({
      load(url, context, next) {
        if (url.includes("/@opentelemetry/")) console.log("loaded " + url);
        return next(url, context);
      },
    });`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(watch)}`;

  it("isn't loaded without a collector, and calls have ids all the same", async () => {
    await using plain = await startService("plain", { NODE_OPTIONS });
    expect(await plain.echo({ traceparent: `00-${traceId}-${spanId}-01` })).toBe(traceId);
    await waitUntil("it logs the call", () => plain.calls().length === 1);
    expect(plain.calls()).toMatchObject([{ trace: traceId, parent: spanId }]);
    expect((await plain.stop()).stdout).not.toContain("loaded");
  });

  it("is loaded with one", async () => {
    await using collector = await startCollector();
    await using reporting = await startService("reporting", {
      NODE_OPTIONS,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    });
    expect((await reporting.stop()).stdout).toContain("loaded");
  });
});

describe("telemetryEndpoints", () => {
  const collector = "http://collector:4318";
  const [traces, metrics] = [`${collector}/v1/traces`, `${collector}/v1/metrics`];
  it.each<[string, Record<string, string>, string | undefined, string | undefined]>([
    ["nothing is set", {}, undefined, undefined],
    ["a collector is named", { OTEL_EXPORTER_OTLP_ENDPOINT: collector }, traces, metrics],
    ["its address ends with a slash", { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector}/` }, traces, metrics],
    [
      "each has its own",
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://a/b",
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://c/d",
      },
      "http://a/b",
      "http://c/d",
    ],
    ["only metrics go somewhere", { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://c/d" }, undefined, "http://c/d"],
    [
      "traces are not exported",
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_EXPORTER: "none" },
      undefined,
      metrics,
    ],
    [
      "metrics are not exported",
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_METRICS_EXPORTER: "none" },
      traces,
      undefined,
    ],
    ["it is switched off", { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SDK_DISABLED: "true" }, undefined, undefined],
  ])("where %s", (_what, env, traces, metrics) => {
    expect(telemetryEndpoints(readConfig(env, telemetrySettings))).toEqual({ traces, metrics });
  });
});
