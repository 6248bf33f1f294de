import type { Conditions } from "../harness/benchmark.ts";
import type { Samples } from "../harness/rounds.ts";
import { pairedRatio } from "../harness/statistics.ts";
import { formatNumber, type Table } from "../harness/table.ts";
import { clientFigures } from "./client-figures.ts";
import type { ClientSpec, MethodName } from "./clients/client-spec.ts";
import { type ClientSample, compareClients, startClients } from "./compare-clients.ts";
import { startServer } from "./compare-servers.ts";
import { samplesOf } from "./server-figures.ts";
import type { ServerSpec } from "./servers/server-spec.ts";

const ours: ServerSpec = { kind: "kinora", around: "bare" };
const grpcJs: ServerSpec = { kind: "grpc-js" };

const oursToOurs = "ours → ours";
const grpcJsToGrpcJs = "grpc-js → grpc-js";

/** Clients with servers: ours with ours, grpc-js with its own and with ours, ours with grpc-js. */
const pairs: readonly { name: string; kind: ClientSpec["kind"]; server: ServerSpec }[] = [
  { name: oursToOurs, kind: "kinora", server: ours },
  { name: "grpc-js → ours", kind: "grpc-js", server: ours },
  { name: "ours → grpc-js", kind: "kinora", server: grpcJs },
  { name: grpcJsToGrpcJs, kind: "grpc-js", server: grpcJs },
];

/** Measures them with one method, each client on the load's core and each server on the servers'. */
export async function comparePairs(
  call: Pick<ClientSpec, "payloadBytes" | "streamed">,
  method: MethodName,
  inFlight: number,
  seconds: number,
  conditions: Conditions,
): Promise<Samples<ClientSample>> {
  await using stack = new AsyncDisposableStack();
  const contenders = [];
  for (const { name, kind, server: spec } of pairs) {
    const server = stack.use(await startServer(spec, conditions));
    const target = `http://127.0.0.1:${await server.ask<number>("port")}`;
    contenders.push({ name, client: { ...call, kind, target }, server });
  }
  await using clients = await startClients(contenders, method, conditions);
  return await compareClients(clients, inFlight, seconds, conditions);
}

/**
 * How many times the throughput of grpc-js with itself ours with ours has, round by round: what the busier of client and server allows, each with a
 * core of its own. It is reckoned from CPU per call, because on two cores there is always somebody else who takes a part of one.
 */
export function pairRatio(samples: Samples<ClientSample>): number {
  const bound = (name: string) =>
    samplesOf(samples, name).map((sample) => Math.max(sample.cpuMicrosPerCall, sample.serverCpuMicrosPerCall));
  return pairedRatio(bound(grpcJsToGrpcJs), bound(oursToOurs));
}

/** A table of pairs. */
export function pairTable(title: string, samples: Samples<ClientSample>): Table {
  return {
    title,
    columns: ["", "calls/s", "client CPU/call", "server CPU/call", "both", "p50", "p99"],
    rows: [...samples].map(([name, of]) => {
      const figures = clientFigures(of);
      return [
        name,
        formatNumber(figures.perSecond),
        `${formatNumber(figures.cpuMicrosPerCall)} µs`,
        `${formatNumber(figures.serverCpuMicrosPerCall)} µs`,
        `${formatNumber(figures.cpuMicrosPerCall + figures.serverCpuMicrosPerCall)} µs`,
        `${formatNumber(figures.p50)} ms`,
        `${formatNumber(figures.p99)} ms`,
      ];
    }),
  };
}
