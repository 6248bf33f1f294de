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

/**
 * Puts the same load on servers in turns. Each measurement makes so many calls that it takes about `seconds`, found out while warming up. Servers that
 * aren't measured are idle meanwhile.
 */
export async function compareServers(
  contenders: readonly Contender[],
  inFlight: number,
  seconds: number,
  conditions: Conditions,
): Promise<Samples<ServerSample>> {
  await using stack = new AsyncDisposableStack();
  const subjects = [];
  for (const { name, server: spec, request, bytesPerCall } of contenders) {
    const server = stack.use(await startServer(spec, conditions));
    const port = await server.ask<number>("port");
    const expected = bytesPerCall === undefined ? undefined : { bytesPerCall };
    const run = (calls: number) => measureServer(server, { ...request, port, inFlight, calls }, expected, conditions);
    let calls = Math.max(20, inFlight);
    for (let warmUp = 0; warmUp < (conditions.quick ? 1 : 3); warmUp++) {
      calls = Math.max(inFlight, Math.ceil((await run(calls)).perSecond * (warmUp === 0 ? seconds / 4 : seconds)));
    }
    subjects.push({ name, measure: () => run(calls) });
  }
  // Awaited here, because the servers end with this function.
  return await interleave(subjects, { rounds: conditions.rounds, warmUps: 0, signal: conditions.signal });
}
