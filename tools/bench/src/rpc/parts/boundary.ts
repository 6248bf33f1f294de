import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { clientFigures } from "../client-figures.ts";
import { type ClientContender, compareClients, startClients } from "../compare-clients.ts";
import { pairTable } from "../compare-pairs.ts";
import { startServer } from "../compare-servers.ts";
import { namedFigures } from "../server-figures.ts";

/** What a service boundary costs: the same call in one process, through a Unix socket, through TCP on the loopback interface. */
export const boundary: Part = {
  name: "boundary",
  about: "the same small call with our client and server: in memory, Unix socket, loopback TCP",
  async run(conditions: Conditions): Promise<Outcome> {
    const folder = await mkdtemp(join(tmpdir(), "bench-"));
    try {
      return await measure(join(folder, "socket"), conditions);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

async function measure(path: string, conditions: Conditions): Promise<Outcome> {
  await using tcp = await startServer({ kind: "kinora", around: "bare" }, conditions);
  await using unix = await startServer({ kind: "kinora", around: "bare", path }, conditions);
  const port = await tcp.ask<number>("port");
  const payloadBytes = 0;
  const contenders: ClientContender[] = [
    { name: "in memory", client: { kind: "in-memory", around: "bare", payloadBytes } },
    { name: "Unix socket", client: { kind: "kinora", target: `unix:${path}`, payloadBytes }, server: unix },
    { name: "loopback TCP", client: { kind: "kinora", target: `http://127.0.0.1:${port}`, payloadBytes }, server: tcp },
  ];
  await using running = await startClients(contenders, "getUser", conditions);
  const results = [];
  for (const inFlight of [1, 64]) {
    const samples = await compareClients(running, inFlight, conditions.quick ? 0.1 : 1, conditions);
    conditions.show(pairTable(`Small unary call, our client and server, ${inFlight} in flight`, samples));
    results.push({ inFlight, ways: namedFigures(samples, clientFigures) });
  }
  return { targets: [], results };
}
