import type { Conditions } from "../../harness/benchmark.ts";
import type { Child } from "../../harness/child.ts";
import { runH2load } from "./h2load.ts";
import type { Load, LoadResult } from "./load.ts";
import { runRawLoad } from "./raw-load.ts";

/** One measurement of a server under load. */
export type ServerSample = {
  perSecond: number;
  /** CPU time of the server's process, user and system, for each call. */
  cpuMicrosPerCall: number;
  /** The share of a core that the server used: with less than 0.9 its core wasn't what bounded the calls per second. */
  utilisation: number;
  p50: number;
  p99: number;
  rssBytes: number;
};

/** Bytes that the answer to each call must have. */
export type Expected = { bytesPerCall: number };

/** Puts load on a server and reads off what it cost. Rejects when a call failed or was answered with something else. */
export async function measureServer(
  server: Child,
  load: Load,
  expected: Expected | undefined,
  { machine, loadCore, signal }: Pick<Conditions, "machine" | "loadCore" | "signal">,
): Promise<ServerSample> {
  const before = await server.usage();
  const result: LoadResult = await (machine.h2load === undefined ? runRawLoad : runH2load)(load, loadCore, signal);
  const after = await server.usage();
  if (result.failed > 0) {
    throw new Error(`${result.failed} of ${result.calls} calls failed`);
  }
  if (expected !== undefined && result.dataBytes !== expected.bytesPerCall * result.calls) {
    throw new Error(`${result.dataBytes / result.calls} bytes came back per call instead of ${expected.bytesPerCall}`);
  }
  const cpuMicros = after.cpuMicros - before.cpuMicros;
  return {
    perSecond: result.calls / result.seconds,
    cpuMicrosPerCall: cpuMicros / result.calls,
    utilisation: cpuMicros / 1e6 / result.seconds,
    p50: result.p50,
    p99: result.p99,
    rssBytes: after.rssBytes,
  };
}
