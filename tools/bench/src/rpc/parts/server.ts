import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import type { Table } from "../../harness/table.ts";
import { atLeast, type Target } from "../../harness/target.ts";
import { type Contender, compareServers } from "../compare-servers.ts";
import { createCredential } from "../credential.ts";
import { responseMessage } from "../messages.ts";
import { connectGetUser, grpcGetUser } from "../requests.ts";
import { samplesOf, serverFigures, serverTable, throughputRatio } from "../server-figures.ts";

/** The payloads, in bytes beside the ten or so that every message has. */
const payloads = [
  { label: "10 B", bytes: 0 },
  { label: "1 kB", bytes: 1_000 },
  { label: "100 kB", bytes: 100_000 },
];
const inFlights = [1, 16, 256];

/** Unary gRPC servers, ours bare and with everything on. */
export const server: Part = {
  name: "server",
  about: "unary gRPC: ours, raw HTTP/2, grpc-js, stock connect-node",
  async run(conditions: Conditions): Promise<Outcome> {
    const { authorization, publicKey } = await createCredential();
    const around = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "grpc-timeout": "10S" };
    const tables: Table[] = [];
    const targets: Target[] = [];
    const results = [];
    for (const payload of payloads) {
      for (const inFlight of conditions.quick ? [16] : inFlights) {
        const request = grpcGetUser(payload.bytes);
        const bytesPerCall = 5 + responseMessage(payload.bytes).length;
        const contenders: Contender[] = [
          { name: "raw", server: { kind: "raw-constant", payloadBytes: payload.bytes }, request },
          { name: "raw, body and trailers", server: { kind: "raw-exchange", payloadBytes: payload.bytes }, request },
          { name: "ours, bare", server: { kind: "kinora", around: "bare" }, request },
          {
            name: "ours, everything on",
            server: { kind: "kinora", around: { publicKey, sampled: 0.01 } },
            request: grpcGetUser(payload.bytes, { ...around, authorization }),
          },
          { name: "grpc-js", server: { kind: "grpc-js" }, request },
          { name: "connect-node", server: { kind: "connect-node-http2" }, request },
          {
            name: "connect-node, Connect",
            server: { kind: "connect-node-http2" },
            request: connectGetUser(payload.bytes),
            bytesPerCall: bytesPerCall - 5,
          },
        ];
        const samples = await compareServers(
          contenders.map((contender) => ({ bytesPerCall, ...contender })),
          inFlight,
          conditions.quick ? 0.1 : 1,
          conditions,
        );
        tables.push(serverTable(`Server, unary gRPC, ${payload.label}, ${inFlight} in flight`, samples, "raw"));
        results.push({
          payload: payload.label,
          inFlight,
          servers: Object.fromEntries([...samples].map(([name, of]) => [name, serverFigures(of)])),
        });
        const ratio = (ours: string, theirs: string) =>
          throughputRatio(samplesOf(samples, ours), samplesOf(samples, theirs));
        if (payload.bytes === 0 && inFlight === (conditions.quick ? 16 : 256)) {
          targets.push(
            atLeast("server, small unary gRPC, bare: × raw HTTP/2", ratio("ours, bare", "raw"), 0.75, 0.9),
            atLeast("server, small unary gRPC, bare: × grpc-js", ratio("ours, bare", "grpc-js"), 1.15),
            atLeast("server, small unary gRPC, bare: × stock connect-node", ratio("ours, bare", "connect-node"), 4.5),
            atLeast("server, everything on: × bare grpc-js", ratio("ours, everything on", "grpc-js"), 0.9, 1.15),
          );
        }
        if (payload.bytes === 100_000 && inFlight === 16) {
          targets.push(atLeast("server, 100 kB messages: × grpc-js", ratio("ours, bare", "grpc-js"), 1, 1.5));
        }
      }
    }
    return { tables, targets, results };
  },
};
