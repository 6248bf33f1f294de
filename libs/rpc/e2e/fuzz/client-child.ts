/** Calls a server that sends rubbish. A process of its own, so that its end shows: it tells its parent of every case before it begins and after. */
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError, createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { createClientTransport } from "../../src/client/client-transport.ts";
import { caseNumbers, type FuzzOptions, failure, type Outcome } from "./outcome.ts";
import { caseSeed, createRandom } from "./random.ts";
import { type RubbishServer, startRubbishServer } from "./rubbish-server.ts";

const lanes = 8;
const protocols = ["grpc", "grpc", "connect", "grpc-web"] as const;
const types = {
  grpc: { unary: "application/grpc+proto", stream: "application/grpc+proto" },
  "grpc-web": { unary: "application/grpc-web+proto", stream: "application/grpc-web+proto" },
  connect: { unary: "application/proto", stream: "application/connect+proto" },
};

/** What the process tells: what the server has sent in a case so far, or the outcome. */
export type ClientNews = { index: number; bytes: string } | Outcome;

const tell = (news: ClientNews) => process.send?.(news);

async function run(options: FuzzOptions): Promise<Outcome> {
  const outcome: Outcome = { cases: 0, failures: [] };
  const numbers = caseNumbers(options);
  const underWay = new Map<number, RubbishServer>();
  const report = (what: string, index: number) => {
    outcome.failures.push(failure(what, options, "client", index, underWay.get(index)?.sent()));
  };
  const unseen = (error: unknown) => {
    for (const index of underWay.keys()) {
      report(`nobody caught ${error instanceof Error ? error.stack : error}`, index);
    }
  };
  process.on("unhandledRejection", unseen);
  process.on("uncaughtException", unseen);

  async function lane(): Promise<void> {
    const server = await startRubbishServer();
    // Not `for … of`: that would end the numbers for the other lanes too.
    for (let next = numbers.next(); !next.done && outcome.failures.length < 20; next = numbers.next()) {
      const index = next.value;
      underWay.set(index, server);
      tell({ index, bytes: "" });
      const wrong = await callOnce(server, caseSeed(options.seed, index)).catch((error) => String(error));
      tell({ index, bytes: server.sent().toString("hex") });
      outcome.cases++;
      if (wrong !== undefined) {
        report(wrong, index);
      }
      underWay.delete(index);
    }
    server.close();
  }

  await Promise.all(Array.from({ length: options.only === undefined ? lanes : 1 }, lane));
  // Time for what was left lying to be noticed.
  await sleep(200);
  return outcome;
}

async function callOnce(server: RubbishServer, seed: number): Promise<string | undefined> {
  const random = createRandom(seed);
  const protocol = random.pick(protocols);
  const streams = random.chance(0.4);
  server.use(random, streams ? types[protocol].stream : types[protocol].unary);
  const transport = createClientTransport({ baseUrl: `http://127.0.0.1:${server.port}`, protocol });
  const client = createClient(EchoService, transport);
  const call = { timeoutMs: random.int(20, 150), signal: AbortSignal.timeout(random.chance(0.1) ? 5 : 5_000) };
  const settled = (
    streams ? Array.fromAsync(client.count({ count: 3 }, call)) : client.echo({ text: "hello" }, call)
  ).then(
    () => undefined,
    (error) => (error instanceof ConnectError ? undefined : `it failed with ${error?.stack ?? error}`),
  );
  const wrong = await Promise.race([settled, sleep(8_000, "the call never settled", { ref: false })]);
  transport.close();
  for (let i = 0; i < 100 && server.open() > 0; i++) {
    await sleep(i < 10 ? 1 : 50);
  }
  return wrong ?? (server.open() > 0 ? "the closed transport leaves a connection" : undefined);
}

process.once("message", async (options: FuzzOptions) => {
  tell(await run(options));
  process.disconnect?.();
});
