import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { buffer } from "node:stream/consumers";
import { type Decoded, decode, requests } from "./otlp-messages.ts";

type Attributes = Readonly<Record<string, unknown>>;

/** A span that arrived, with whose it is. */
export type CollectedSpan = {
  resource: Attributes;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  /** 2 for a server's, 3 for a client's. */
  kind: number;
  attributes: Attributes;
  status?: { code?: number; message?: string };
};

/** A metric that arrived, with whose it is. */
export type CollectedMetric = {
  resource: Attributes;
  name: string;
  unit?: string;
  gauge?: { points: Decoded[] };
  sum?: { points: Decoded[] };
  histogram?: { points: Decoded[]; temporality: number };
};

/** A collector of OTLP over HTTP that keeps what it gets; on a free port of the loopback interface, gone at the end of its scope. */
export type OtlpCollector = AsyncDisposable & {
  url: string;
  spans(): CollectedSpan[];
  /** Of each name, the last that each service sent. */
  metrics(name: string): CollectedMetric[];
  headers(): IncomingHttpHeaders[];
};

/** Starts a collector; `port` 0 stands for any free one. */
export async function startCollector(port = 0): Promise<OtlpCollector> {
  const spans: CollectedSpan[] = [];
  const metrics: CollectedMetric[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer(async (request, response) => {
    headers.push(request.headers);
    const shape = request.url === "/v1/traces" || request.url === "/v1/metrics" ? requests[request.url] : undefined;
    if (shape === undefined) {
      response.writeHead(404).end();
      return;
    }
    for (const { resource, item } of flatten(decode(await buffer(request), shape))) {
      if ("spanId" in item) {
        spans.push({ attributes: {}, ...item, resource } as CollectedSpan);
      } else {
        metrics.push({ ...item, resource } as CollectedMetric);
      }
    }
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  return {
    url: `http://127.0.0.1:${typeof bound === "object" ? bound?.port : ""}`,
    spans: () => spans,
    metrics(name) {
      const last = new Map<unknown, CollectedMetric>();
      for (const metric of metrics.filter((one) => one.name === name)) {
        last.set(metric.resource["service.instance.id"], metric);
      }
      return [...last.values()];
    },
    headers: () => headers,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** The spans or metrics of an export, each with the attributes of its resource. */
function flatten(request: Decoded): { resource: Attributes; item: Decoded }[] {
  return list(request.resources).flatMap(({ resource, scopes }) =>
    list(scopes).flatMap(({ spans, metrics }) =>
      list(spans ?? metrics).map((item) => ({ resource: (resource as { attributes: Attributes }).attributes, item })),
    ),
  );
}

function list(value: unknown): Decoded[] {
  return Array.isArray(value) ? value : [];
}
