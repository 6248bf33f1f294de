import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { atLeast } from "../../harness/target.ts";
import { clientFigures } from "../client-figures.ts";
import { comparePairs, pairRatio, pairTable } from "../compare-pairs.ts";
import { type Contender, compareServers, startContenders } from "../compare-servers.ts";
import { grpcFrame, watchMessage } from "../messages.ts";
import { grpcWatchUser } from "../requests.ts";
import { namedFigures, samplesOf, serverFigures, serverTable, throughputRatio } from "../server-figures.ts";

const messages = 1_000;
const messageBytes = 1_000;
const inFlight = 16;

/** Server streaming: a thousand messages of a kilobyte to each call. */
export const stream: Part = {
  name: "stream",
  about: `server streaming by gRPC, ${messages} messages of 1 kB to each of ${inFlight} calls in flight`,
  async run(conditions: Conditions): Promise<Outcome> {
    const grpc = {
      request: grpcWatchUser(messages, messageBytes),
      bytesPerCall: messages * grpcFrame(watchMessage(messageBytes)).length,
    };
    const contenders: Contender[] = [
      { name: "raw", server: { kind: "raw-stream", count: messages, payloadBytes: messageBytes }, ...grpc },
      { name: "ours, bare", server: { kind: "kinora", around: "bare" }, ...grpc },
      { name: "grpc-js", server: { kind: "grpc-js" }, ...grpc },
      { name: "connect-node", server: { kind: "connect-node-http2" }, ...grpc },
    ];
    const seconds = conditions.quick ? 0.1 : 1;
    const servers = await measureServers(contenders, seconds, conditions);
    conditions.show(serverTable(`Server, streaming ${messages} × 1 kB (calls are whole streams)`, servers, "raw"));
    const pairs = await comparePairs(
      { payloadBytes: messageBytes, streamed: messages },
      "watchUser",
      inFlight,
      seconds,
      conditions,
    );
    conditions.show(pairTable(`Client and server, streaming ${messages} × 1 kB (calls are whole streams)`, pairs));
    const name = "server streaming of 1 kB messages";
    return {
      targets: [
        atLeast(
          `${name}, server: × grpc-js`,
          throughputRatio(samplesOf(servers, "ours, bare"), samplesOf(servers, "grpc-js")),
          1,
          1.5,
        ),
        atLeast(`${name}, client and server: × grpc-js`, pairRatio(pairs), 1, 1.5),
      ],
      results: { servers: namedFigures(servers, serverFigures), pairs: namedFigures(pairs, clientFigures) },
    };
  },
};

async function measureServers(contenders: readonly Contender[], seconds: number, conditions: Conditions) {
  await using running = await startContenders(contenders, conditions);
  return await compareServers(running, inFlight, seconds, conditions);
}
