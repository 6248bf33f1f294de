import type { Conditions } from "../harness/benchmark.ts";
import { type Child, startChild } from "../harness/child.ts";
import { interleave, type Samples } from "../harness/rounds.ts";
import { measureServer, type ServerSample } from "./load/server-load.ts";
import type { RawRequest } from "./requests.ts";
import type { ServerSpec } from "./servers/server-spec.ts";

/** A server and what it is asked. `bytesPerCall` is what each answer's body must have. */
export type Contender = { name: string; server: ServerSpec; request: RawRequest; bytesPerCall?: number };

/** Starts a server in a process on the servers' core. */
export function startServer(spec: ServerSpec, { serverCore }: Pick<Conditions, "serverCore">): Promise<Child> {
  return startChild({
    module: new URL("./servers/server-main.ts", import.meta.url).href,
    parameters: spec,
    core: serverCore,
  });
}

/** A server that runs and has made its first calls; `measure` makes so many and says what they cost. */
export type RunningContender = {
  name: string;
  measure(inFlight: number, calls: number): Promise<ServerSample>;
  stop(): Promise<void>;
};

/** All of them, ended at the end of the scope. */
export type RunningContenders = AsyncDisposable & { all: readonly RunningContender[] };

/** How many calls are in flight while a server warms up: enough to keep its core busy. */
const warmUpInFlight = 64;

/** Starts servers and lets each take calls for `warmUpSeconds`, so that its code is compiled. Those that aren't measured are idle meanwhile. */
export async function startContenders(
  contenders: readonly Contender[],
  conditions: Conditions,
  warmUpSeconds = conditions.quick ? 0 : 5,
): Promise<RunningContenders> {
  const all: RunningContender[] = [];
  const end = async () => {
    await Promise.all(all.map(({ stop }) => stop()));
  };
  try {
    for (const { name, server: spec, request, bytesPerCall } of contenders) {
      conditions.signal.throwIfAborted();
      const server = await startServer(spec, conditions);
      const expected = bytesPerCall === undefined ? undefined : { bytesPerCall };
      const measure = async (inFlight: number, calls: number) => {
        const port = await server.ask<number>("port");
        return measureServer(server, { ...request, port, inFlight, calls }, expected, conditions);
      };
      all.push({ name, measure, stop: server.stop });
      const until = performance.now() + warmUpSeconds * 1000;
      let calls = warmUpInFlight;
      do {
        calls = callsFor(await measure(warmUpInFlight, calls), 1, warmUpInFlight);
      } while (performance.now() < until);
    }
  } catch (error) {
    await end();
    throw error;
  }
  return { all, [Symbol.asyncDispose]: end };
}

/** Puts the same load on servers in turns. Each measurement makes so many calls that it takes about `seconds`, found out beforehand. */
export async function compareServers(
  { all }: RunningContenders,
  inFlight: number,
  seconds: number,
  { rounds, signal }: Conditions,
): Promise<Samples<ServerSample>> {
  const subjects = [];
  for (const { name, measure } of all) {
    signal.throwIfAborted();
    const first = await measure(inFlight, Math.max(20, inFlight * 2));
    const second = await measure(inFlight, callsFor(first, seconds / 4, inFlight));
    const calls = callsFor(second, seconds, inFlight);
    subjects.push({ name, measure: () => measure(inFlight, calls) });
  }
  return interleave(subjects, { rounds, warmUps: 0, signal });
}

/** How many calls take so long, going by a measurement; each connection has something to do. */
export function callsFor({ perSecond }: { perSecond: number }, seconds: number, inFlight: number): number {
  return Math.max(inFlight, Math.ceil(perSecond * seconds));
}
