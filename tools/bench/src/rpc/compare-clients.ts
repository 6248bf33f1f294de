import type { Conditions } from "../harness/benchmark.ts";
import { type Child, startChild } from "../harness/child.ts";
import { interleave, type Samples } from "../harness/rounds.ts";
import type { ClientSpec, InMemorySpec, MethodName, RawSpec, RunRequest, RunResult } from "./clients/client-spec.ts";

/** One measurement of a client. Durations in milliseconds. */
export type ClientSample = {
  perSecond: number;
  /** CPU time of the client's process, user and system, for each call. */
  cpuMicrosPerCall: number;
  /** The same of the server that it calls; 0 where that is the same process. */
  serverCpuMicrosPerCall: number;
  p50: number;
  p99: number;
  rssBytes: number;
};

/** A client, and the server that it calls if that is another process. */
export type ClientContender = { name: string; client: ClientSpec | RawSpec | InMemorySpec; server?: Child };

/** Starts a client in a process on the load's core. */
export function startClient(
  spec: ClientContender["client"],
  { loadCore }: Pick<Conditions, "loadCore">,
): Promise<Child> {
  return startChild({
    module: new URL("./clients/client-main.ts", import.meta.url).href,
    parameters: spec,
    core: loadCore,
  });
}

/** Makes calls; rejects when one fails. */
export async function runChecked(client: Child, request: RunRequest): Promise<RunResult> {
  const result = await client.ask<RunResult>("run", request);
  if (result.failed > 0) {
    throw new Error(`${result.failed} of ${result.calls} calls failed: ${JSON.stringify(result.faults)}`);
  }
  return result;
}

/** Lets clients make the same calls in turns, as `compareServers` does with servers. */
export async function compareClients(
  contenders: readonly ClientContender[],
  method: MethodName,
  inFlight: number,
  seconds: number,
  conditions: Conditions,
): Promise<Samples<ClientSample>> {
  await using stack = new AsyncDisposableStack();
  const subjects = [];
  for (const { name, client: spec, server } of contenders) {
    const client = stack.use(await startClient(spec, conditions));
    const run = async (calls: number): Promise<ClientSample> => {
      const before = await server?.usage();
      const result = await runChecked(client, { method, inFlight, calls });
      const after = await server?.usage();
      return {
        perSecond: result.calls / result.seconds,
        cpuMicrosPerCall: result.cpuMicros / result.calls,
        serverCpuMicrosPerCall: ((after?.cpuMicros ?? 0) - (before?.cpuMicros ?? 0)) / result.calls,
        p50: result.p50,
        p99: result.p99,
        rssBytes: result.rssBytes,
      };
    };
    let calls = Math.max(20, inFlight);
    for (let warmUp = 0; warmUp < (conditions.quick ? 1 : 3); warmUp++) {
      calls = Math.max(inFlight, Math.ceil((await run(calls)).perSecond * (warmUp === 0 ? seconds / 4 : seconds)));
    }
    subjects.push({ name, measure: () => run(calls) });
  }
  // Awaited here, because the clients end with this function.
  return await interleave(subjects, { rounds: conditions.rounds, warmUps: 0, signal: conditions.signal });
}
