import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { atLeast, type Target } from "../../harness/target.ts";
import { clientFigures } from "../client-figures.ts";
import { comparePairs, pairRatio, pairTable } from "../compare-pairs.ts";
import { type Contender, compareServers, startContenders } from "../compare-servers.ts";
import { responseMessage } from "../messages.ts";
import { type ProductionSetting, startProduction, usualShare } from "../production.ts";
import { connectGetUser, grpcGetUser } from "../requests.ts";
import { namedFigures, samplesOf, serverFigures, serverTable, throughputRatio } from "../server-figures.ts";

const inFlights = [1, 16, 256];

/** Unary gRPC with messages of about ten bytes. */
export const server = unaryPart("server", "10 B", 0);
/** The same with a kilobyte each way. */
export const server1kB = unaryPart("server-1kB", "1 kB", 1_000);
/** The same with a hundred. */
export const server100kB = unaryPart("server-100kB", "100 kB", 100_000);

function unaryPart(name: string, label: string, payloadBytes: number): Part {
  return {
    name,
    about: `unary gRPC servers, ${label} each way: ours bare and with everything on, raw HTTP/2, grpc-js, stock connect-node`,
    async run(conditions: Conditions): Promise<Outcome> {
      const seconds = conditions.quick ? 0.1 : 1;
      await using production = await startProduction();
      await using servers = await startContenders(contendersFor(payloadBytes, production), conditions);
      const targets: Target[] = [];
      const results = [];
      for (const inFlight of conditions.quick ? [16] : inFlights) {
        const samples = await compareServers(servers, inFlight, seconds, conditions);
        conditions.show(serverTable(`Server, unary gRPC, ${label}, ${inFlight} in flight`, samples, "raw"));
        results.push({ inFlight, servers: namedFigures(samples, serverFigures), samples: Object.fromEntries(samples) });
        const ratio = (ours: string, theirs: string) =>
          throughputRatio(samplesOf(samples, ours), samplesOf(samples, theirs));
        if (payloadBytes === 0 && inFlight === (conditions.quick ? 16 : 256)) {
          targets.push(
            atLeast("server, small unary gRPC, bare: × raw HTTP/2", ratio("ours, bare", "raw"), 0.75, 0.9),
            atLeast("server, small unary gRPC, bare: × grpc-js", ratio("ours, bare", "grpc-js"), 1.15),
            atLeast("server, small unary gRPC, bare: × stock connect-node", ratio("ours, bare", "connect-node"), 4.5),
            atLeast("server, everything on: × bare grpc-js", ratio("ours, everything on", "grpc-js"), 0.9, 1.15),
          );
        }
        if (payloadBytes === 100_000 && inFlight === 16) {
          const pairs = await comparePairs({ payloadBytes }, "getUser", inFlight, seconds, conditions);
          conditions.show(pairTable(`Client and server, unary gRPC, ${label}, ${inFlight} in flight`, pairs));
          results.push({ inFlight, pairs: namedFigures(pairs, clientFigures) });
          targets.push(
            atLeast("100 kB messages, server: × grpc-js", ratio("ours, bare", "grpc-js"), 1, 1.5),
            atLeast("100 kB messages, client and server: × grpc-js", pairRatio(pairs), 1, 1.5),
          );
        }
      }
      return { targets, results };
    },
  };
}

function contendersFor(payloadBytes: number, { authorization, around }: ProductionSetting): Contender[] {
  const bytes = responseMessage(payloadBytes).length;
  const request = grpcGetUser(payloadBytes);
  const grpc = { request, bytesPerCall: 5 + bytes };
  const everything = { ...grpc, request: grpcGetUser(payloadBytes, { "grpc-timeout": "10S", authorization }) };
  return [
    { name: "raw", server: { kind: "raw-constant", payloadBytes }, ...grpc },
    { name: "raw, body and trailers", server: { kind: "raw-exchange", payloadBytes }, ...grpc },
    { name: "ours, bare", server: { kind: "kinora", around: "bare" }, ...grpc },
    { name: "ours, everything on", server: { kind: "kinora", around: around(usualShare) }, ...everything },
    { name: "ours, everything on, all traced", server: { kind: "kinora", around: around(1) }, ...everything },
    { name: "grpc-js", server: { kind: "grpc-js" }, ...grpc },
    { name: "connect-node", server: { kind: "connect-node-http2" }, ...grpc },
    {
      name: "connect-node, Connect",
      server: { kind: "connect-node-http2" },
      request: connectGetUser(payloadBytes),
      bytesPerCall: bytes,
    },
  ];
}
