import type { Conditions } from "../harness/benchmark.ts";
import { type Child, startChild } from "../harness/child.ts";
import { interleave, type Samples } from "../harness/rounds.ts";
import type { ClientSpec, InMemorySpec, MethodName, RawSpec, RunRequest, RunResult } from "./clients/client-spec.ts";
import { callsFor } from "./compare-servers.ts";

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

/** Clients that run, ended at the end of the scope. */
export type RunningClients = AsyncDisposable & {
  all: readonly { name: string; measure(inFlight: number, calls: number): Promise<ClientSample> }[];
};

/** How many calls are in flight while a client warms up. */
const warmUpInFlight = 16;

/** Starts clients and lets each make calls for `warmUpSeconds`, so that its code is compiled. */
export async function startClients(
  contenders: readonly ClientContender[],
  method: MethodName,
  conditions: Conditions,
  warmUpSeconds = conditions.quick ? 0 : 5,
): Promise<RunningClients> {
  const stack = new AsyncDisposableStack();
  const all: RunningClients["all"][number][] = [];
  try {
    for (const { name, client: spec, server } of contenders) {
      conditions.signal.throwIfAborted();
      const client = stack.use(await startClient(spec, conditions));
      const measure = (inFlight: number, calls: number) => measureClient(client, server, { method, inFlight, calls });
      all.push({ name, measure });
      const until = performance.now() + warmUpSeconds * 1000;
      let calls = warmUpInFlight;
      do {
        calls = callsFor(await measure(warmUpInFlight, calls), 1, warmUpInFlight);
      } while (performance.now() < until);
    }
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return { all, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function measureClient(client: Child, server: Child | undefined, request: RunRequest): Promise<ClientSample> {
  const before = await server?.usage();
  const result = await runChecked(client, request);
  const after = await server?.usage();
  return {
    perSecond: result.calls / result.seconds,
    cpuMicrosPerCall: result.cpuMicros / result.calls,
    serverCpuMicrosPerCall: ((after?.cpuMicros ?? 0) - (before?.cpuMicros ?? 0)) / result.calls,
    p50: result.p50,
    p99: result.p99,
    rssBytes: result.rssBytes,
  };
}

/** Lets clients make the same calls in turns, as `compareServers` does with servers. */
export async function compareClients(
  { all }: RunningClients,
  inFlight: number,
  seconds: number,
  { rounds, signal }: Conditions,
): Promise<Samples<ClientSample>> {
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
