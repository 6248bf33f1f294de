import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { atLeast, type Target } from "../../harness/target.ts";
import { type Contender, compareServers, startContenders } from "../compare-servers.ts";
import { user } from "../messages.ts";
import { startProduction, usualShare } from "../production.ts";
import { jsonGetUser } from "../requests.ts";
import { namedFigures, samplesOf, serverFigures, serverTable, throughputRatio } from "../server-figures.ts";

/** JSON over HTTP/1.1: what a browser or curl asks for. */
export const http1: Part = {
  name: "http1",
  about: "small unary JSON over HTTP/1.1: ours (Connect), raw node:http, Fastify, stock connect-node",
  async run(conditions: Conditions): Promise<Outcome> {
    await using production = await startProduction();
    const { authorization, around } = production;
    const request = jsonGetUser();
    const contenders: Contender[] = [
      { name: "raw", server: { kind: "raw-http1-constant" }, request },
      { name: "raw, body and JSON", server: { kind: "raw-http1-exchange" }, request },
      { name: "ours, bare", server: { kind: "kinora", around: "bare" }, request },
      {
        name: "ours, everything on",
        server: { kind: "kinora", around: around(usualShare) },
        request: jsonGetUser({ "connect-timeout-ms": "10000", authorization }),
      },
      { name: "Fastify", server: { kind: "fastify" }, request },
      { name: "connect-node", server: { kind: "connect-node-http1" }, request },
    ];
    const bytesPerCall = JSON.stringify(user).length;
    await using servers = await startContenders(
      contenders.map((contender) => ({ ...contender, bytesPerCall })),
      conditions,
    );
    const targets: Target[] = [];
    const results = [];
    for (const inFlight of conditions.quick ? [16] : [1, 16, 256]) {
      const samples = await compareServers(servers, inFlight, conditions.quick ? 0.1 : 1, conditions);
      conditions.show(serverTable(`Server, small unary JSON over HTTP/1.1, ${inFlight} in flight`, samples, "raw"));
      results.push({ inFlight, servers: namedFigures(samples, serverFigures), samples: Object.fromEntries(samples) });
      if (inFlight === (conditions.quick ? 16 : 256)) {
        const ours = samplesOf(samples, "ours, bare");
        const name = "server, Connect unary JSON over HTTP/1.1";
        targets.push(
          atLeast(`${name}: × raw HTTP/1.1`, throughputRatio(ours, samplesOf(samples, "raw")), 0.65),
          atLeast(`${name}: × Fastify`, throughputRatio(ours, samplesOf(samples, "Fastify")), 0.8, 1),
        );
      }
    }
    return { targets, results };
  },
};
