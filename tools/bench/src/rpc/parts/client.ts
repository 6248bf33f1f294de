import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { atMost, type Target } from "../../harness/target.ts";
import { clientCpuRatio, clientFigures, clientTable } from "../client-figures.ts";
import { type ClientContender, compareClients, startClients } from "../compare-clients.ts";
import { startServer } from "../compare-servers.ts";
import { connectGetUser, grpcGetUser, rawSpec } from "../requests.ts";
import { namedFigures } from "../server-figures.ts";

const inFlights = [1, 64, 256];

/** What a small unary call costs its client, against a server that costs next to nothing and has the other core. */
export const client: Part = {
  name: "client",
  about: "small unary calls: the CPU time of ours, a raw HTTP/2 client, grpc-js, stock connect-node",
  async run(conditions: Conditions): Promise<Outcome> {
    await using server = await startServer({ kind: "raw-exchange", payloadBytes: 0 }, conditions);
    const target = `http://127.0.0.1:${await server.ask<number>("port")}`;
    const payloadBytes = 0;
    const clients: Omit<ClientContender, "server">[] = [
      { name: "raw", client: rawSpec(target, grpcGetUser(payloadBytes), 1) },
      { name: "ours", client: { kind: "kinora", target, payloadBytes } },
      { name: "grpc-js", client: { kind: "grpc-js", target, payloadBytes } },
      { name: "connect-node", client: { kind: "connect-node", target, payloadBytes } },
      { name: "raw, Connect", client: rawSpec(target, connectGetUser(payloadBytes), 1) },
      { name: "ours, Connect", client: { kind: "kinora-connect", target, payloadBytes } },
      { name: "connect-node, Connect", client: { kind: "connect-node-connect", target, payloadBytes } },
    ];
    const contenders = clients.map((contender) => ({ ...contender, server }));
    await using running = await startClients(contenders, "getUser", conditions);
    const targets: Target[] = [];
    const results = [];
    for (const inFlight of conditions.quick ? [64] : inFlights) {
      const samples = await compareClients(running, inFlight, conditions.quick ? 0.1 : 1, conditions);
      conditions.show(clientTable(`Client, small unary call, ${inFlight} in flight`, samples, "raw"));
      results.push({ inFlight, clients: namedFigures(samples, clientFigures), samples: Object.fromEntries(samples) });
      if (inFlight === 64) {
        const name = "client, CPU per small unary call";
        targets.push(
          atMost(`${name}: × raw HTTP/2`, clientCpuRatio(samples, "ours", "raw"), 1.6, 1.25),
          atMost(`${name}: × grpc-js`, clientCpuRatio(samples, "ours", "grpc-js"), 0.6),
          atMost(`${name}: × stock connect-node`, clientCpuRatio(samples, "ours", "connect-node"), 0.25),
        );
      }
    }
    return { targets, results };
  },
};
