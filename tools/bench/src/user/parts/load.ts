import { create, toBinary } from "@bufbuild/protobuf";
import { GetUserRequestSchema } from "@kinora/proto-user";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { startChild } from "../../harness/child.ts";
import { interleave } from "../../harness/rounds.ts";
import { median, pairedRatio } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atLeast, atMost } from "../../harness/target.ts";
import { runH2load } from "../../rpc/load/h2load.ts";
import type { Load } from "../../rpc/load/load.ts";
import { runRawLoad } from "../../rpc/load/raw-load.ts";
import { grpcFrame } from "../../rpc/messages.ts";
import type { Closed, ClosedResult } from "../closed-loop.ts";
import { install, type RunningService } from "../installation.ts";

const lookUps = 64;
/** Logins at a time in a storm: more than there are cores, fewer than one account may try at a time from one address (10). */
const storm = 8;

/** Rounds until the service's code is compiled, as the server's of the `rpc` benchmark is: argon2's is from the first. */
const warmUps = 3;

/** What the service does under load, against what it is made of. */
export const load: Part = {
  name: "load",
  about: "GetUser against its query through bare pg, logins against bare argon2, and GetUser while everybody logs in",
  async run(conditions: Conditions): Promise<Outcome> {
    const { serverCore, signal, quick, rounds } = conditions;
    await using installation = await install(signal);
    await using service = await installation.start(serverCore);
    const { databaseUrl } = installation;
    const bareMain = import.meta.resolve("../children/bare-main.ts");
    const loadMain = import.meta.resolve("../children/load-main.ts");
    const userDatabase = { databaseUrl, id: service.owner.id };
    await using bare = await startChild({ module: bareMain, parameters: userDatabase, core: serverCore });
    const caller = { module: loadMain, parameters: { url: service.url, ...service.owner }, core: conditions.loadCore };
    await using visitor = await startChild(caller);
    await using crowd = await startChild(caller);
    const how = (inFlight: number): Closed => ({ inFlight, milliseconds: quick ? 300 : 3_000 });
    // A login takes half a second beside seven others: there must be enough of them to count.
    const hashing = (inFlight: number): Closed => ({ inFlight, milliseconds: quick ? 2_000 : 8_000 });

    const samples = await interleave<ClosedResult>(
      [
        { name: "the query through bare pg", measure: () => bare.ask("query", how(lookUps)) },
        { name: "GetUser over gRPC", measure: () => manyGetUser(service, conditions) },
        { name: "bare argon2", measure: () => bare.ask("argon2", hashing(0)) },
        { name: "logins", measure: () => crowd.ask("login", hashing(storm)) },
        { name: "GetUser, one at a time", measure: () => visitor.ask("getUser", how(1)) },
        {
          name: "GetUser, one at a time, in a storm of logins",
          async measure() {
            const [result] = await Promise.all([
              visitor.ask<ClosedResult>("getUser", how(1)),
              crowd.ask<ClosedResult>("login", how(storm)),
            ]);
            return result;
          },
        },
      ],
      { rounds, warmUps: quick ? 1 : warmUps, signal },
    );
    const perSecond = (name: string) => samples.get(name)?.map((sample) => sample.perSecond) ?? [];
    const p99 = (name: string) => samples.get(name)?.map((sample) => sample.p99Ms) ?? [];
    conditions.show({
      title: "The user service under load",
      columns: ["", "per second", "p99, ms"],
      rows: [...samples.keys()].map((name) => [
        name,
        formatNumber(median(perSecond(name))),
        formatNumber(median(p99(name))),
      ]),
    });
    return {
      results: { samples: Object.fromEntries(samples) },
      targets: [
        atLeast(
          "GetUser over gRPC ÷ its query through bare pg",
          pairedRatio(perSecond("GetUser over gRPC"), perSecond("the query through bare pg")),
          0.6,
        ),
        atLeast("logins ÷ bare argon2", pairedRatio(perSecond("logins"), perSecond("bare argon2")), 0.9),
        atMost(
          "GetUser's p99 in a storm of logins ÷ calm",
          pairedRatio(p99("GetUser, one at a time, in a storm of logins"), p99("GetUser, one at a time")),
          3,
        ),
      ],
    };
  },
};

/** Beside bare pg, Postgres has the other core to itself. Where there is h2load, the load takes little of it; our own client takes as much as the service. */
async function manyGetUser(service: RunningService, conditions: Conditions): Promise<ClosedResult> {
  const { machine, loadCore, signal, quick } = conditions;
  const { id, token } = service.owner;
  const request: Load = {
    http: "2",
    port: Number(new URL(service.url).port),
    path: "/user.v1.UserService/GetUser",
    headers: { "content-type": "application/grpc", te: "trailers", authorization: `Bearer ${token}` },
    body: grpcFrame(toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { id }))),
    inFlight: lookUps,
    calls: quick ? 2_000 : 20_000,
  };
  const result = await (machine.h2load === undefined ? runRawLoad : runH2load)(request, loadCore, signal);
  // A refusal of gRPC is an HTTP answer like any other, but without a message.
  if (result.failed > 0 || result.dataBytes < 50 * result.calls) throw new Error("GetUser was refused");
  return { perSecond: result.calls / result.seconds, p99Ms: result.p99 };
}
