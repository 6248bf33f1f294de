import { expect, test } from "vitest";
import type { Conditions } from "../harness/benchmark.ts";
import { readMachine } from "../harness/machine.ts";
import type { Table } from "../harness/table.ts";
import { compareServers, startContenders, startServer } from "./compare-servers.ts";
import { runH2load } from "./load/h2load.ts";
import { runRawLoad } from "./load/raw-load.ts";
import { boundary } from "./parts/boundary.ts";
import { grpcGetUser, jsonGetUser } from "./requests.ts";

const machine = readMachine();

function conditions(tables: Table[] = []): Conditions {
  return {
    machine: { ...machine, h2load: undefined },
    quick: true,
    rounds: 1,
    serverCore: undefined,
    loadCore: undefined,
    signal: new AbortController().signal,
    note: () => {},
    show: (table) => tables.push(table),
  };
}

test("a part runs for real: servers and clients in processes of their own", async () => {
  const tables: Table[] = [];
  const { results } = await boundary.run(conditions(tables));
  expect(tables).toHaveLength(2);
  expect(results).toMatchObject([{ inFlight: 1 }, { inFlight: 64 }]);
});

test("our own load counts what comes back, over both versions of HTTP", async () => {
  await using servers = await startContenders(
    [
      {
        name: "grpc",
        server: { kind: "raw-exchange", payloadBytes: 100 },
        request: grpcGetUser(100),
        bytesPerCall: 119,
      },
      { name: "json", server: { kind: "fastify" }, request: jsonGetUser(), bytesPerCall: 28 },
    ],
    conditions(),
  );
  const samples = await compareServers(servers, 4, 0.02, conditions());
  for (const name of ["grpc", "json"]) {
    expect(samples.get(name)).toMatchObject([
      { perSecond: expect.any(Number), cpuMicrosPerCall: expect.any(Number), rssBytes: expect.any(Number) },
    ]);
  }
});

test("an answer of another size is no measurement", async () => {
  const raw = { name: "raw", server: { kind: "raw-constant", payloadBytes: 0 }, request: grpcGetUser(0) } as const;
  await expect(startContenders([{ ...raw, bytesPerCall: 1 }], conditions())).rejects.toThrow(
    "bytes came back per call instead of 1",
  );
});

test.skipIf(machine.h2load === undefined)("h2load and our own load measure the same exchange", async () => {
  await using server = await startServer({ kind: "grpc-js" }, conditions());
  const load = { ...grpcGetUser(10), port: await server.ask<number>("port"), inFlight: 4, calls: 50 };
  const signal = new AbortController().signal;
  const [theirs, ours] = [await runH2load(load, undefined, signal), await runRawLoad(load, undefined, signal)];
  expect(theirs).toMatchObject({ calls: 50, failed: 0 });
  expect(ours).toMatchObject({ calls: 50, failed: 0, dataBytes: theirs.dataBytes });
});
