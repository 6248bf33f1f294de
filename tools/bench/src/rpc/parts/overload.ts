import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import type { Child } from "../../harness/child.ts";
import { median } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atLeast, atMost, type Target } from "../../harness/target.ts";
import type { OfferRequest, OfferResult } from "../clients/client-spec.ts";
import { startClient } from "../compare-clients.ts";
import { startServer } from "../compare-servers.ts";
import { grpcGetUser, rawSpec } from "../requests.ts";
import type { Work } from "../servers/bench-routes.ts";

/** Two ways for a server to have too much to do, each with the calls per second that it can take. */
const handlers: readonly { name: string; work: Work; capacity: number }[] = [
  { name: "a pool of 10 × 10 ms", work: { kind: "pool", size: 10, ms: 10 }, capacity: 1_000 },
  { name: "4 ms of CPU", work: { kind: "cpu", ms: 4 }, capacity: 250 },
];

/** Offered loads between which the peak of the goodput is looked for, in capacities. */
const aroundPeak = [0.95, 1.2];
const excess = 10;
/** The deadline of each call. */
const patienceMs = 1_000;
/** Connections that the calls come over: less than 256 calls on each, even when thousands wait. */
const connections = 32;

type Round = { unloadedP99: number; peak: number; goodput: number; p99: number; offered: number };

/** Ten times as many calls as the server can answer, from clients that don't wait for each other. */
export const overload: Part = {
  name: "overload",
  about: `load shedding: ${excess} × as many calls as the server can take, open loop, against its peak and its unloaded latency`,
  async run(conditions: Conditions): Promise<Outcome> {
    const targets: Target[] = [];
    const results = [];
    const rows: string[][] = [];
    for (const { name, work, capacity } of handlers) {
      const rounds: Round[] = [];
      for (let round = 0; round < conditions.rounds; round++) {
        conditions.signal.throwIfAborted();
        rounds.push(await measureRound(work, capacity, conditions));
      }
      const of = (key: keyof Round) => median(rounds.map((round) => round[key]));
      const goodput = median(rounds.map((round) => round.goodput / round.peak));
      const latency = median(rounds.map((round) => round.p99 / round.unloadedP99));
      rows.push([
        name,
        formatNumber(of("offered")),
        formatNumber(of("peak")),
        formatNumber(of("goodput")),
        formatNumber(goodput),
        `${formatNumber(of("unloadedP99"))} ms`,
        `${formatNumber(of("p99"))} ms`,
        formatNumber(latency),
      ]);
      results.push({ handler: name, capacity, rounds });
      targets.push(
        atLeast(`overload ${excess} ×, ${name}: goodput ÷ peak`, goodput, 0.9),
        atMost(`overload ${excess} ×, ${name}: accepted p99 ÷ unloaded p99`, latency, 3),
      );
    }
    conditions.show({
      title: `Overload: ${excess} × capacity offered`,
      columns: ["handler", "offered/s", "peak/s", "goodput/s", "of peak", "unloaded p99", "accepted p99", "×"],
      rows,
    });
    return { targets, results };
  },
};

async function measureRound(work: Work, capacity: number, conditions: Conditions): Promise<Round> {
  await using server = await startServer({ kind: "kinora", around: "shedding", work }, conditions);
  const target = `http://127.0.0.1:${await server.ask<number>("port")}`;
  const request = grpcGetUser(0, { "grpc-timeout": `${patienceMs}m` });
  const spec = { ...rawSpec(target, request, connections), kind: "http2-frames" } as const;
  await using client: Child = await startClient(spec, conditions);
  const scale = conditions.quick ? 0.1 : 1;
  const offer = (load: number, settleMs: number, milliseconds: number) =>
    client.ask<OfferResult>("offer", {
      method: "getUser",
      perSecond: capacity * load,
      settleMs: settleMs * scale,
      milliseconds: milliseconds * scale,
      patienceMs,
    } satisfies OfferRequest);
  const unloaded = await offer(0.1, 500, 5_000);
  let peak = 0;
  for (const load of aroundPeak) {
    peak = Math.max(peak, (await offer(load, 500, 2_000)).goodPerSecond);
  }
  const loaded = await offer(excess, 2_000, 6_000);
  if (loaded.offeredPerSecond < 0.8 * excess * capacity) {
    conditions.note(
      `only ${formatNumber(loaded.offeredPerSecond)} of ${excess * capacity} calls a second could be offered`,
    );
  }
  return {
    unloadedP99: unloaded.p99,
    peak,
    goodput: loaded.goodPerSecond,
    p99: loaded.p99,
    offered: loaded.offeredPerSecond,
  };
}
