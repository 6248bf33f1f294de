import { startChild } from "../../harness/child.ts";
import type { RunRequest, RunResult } from "../clients/client-spec.ts";
import { rawSpec } from "../requests.ts";
import { connectionsFor, type Load, type LoadResult } from "./load.ts";

/**
 * Our own load, where h2load is absent: the raw client in a process of its own. It needs about as much CPU as a fast server, whose core it may not
 * saturate; CPU per call is what to compare then.
 */
export async function runRawLoad(load: Load, core: number | undefined, signal: AbortSignal): Promise<LoadResult> {
  const { connections } = connectionsFor(load.http, load.inFlight);
  const spec = rawSpec(`http://127.0.0.1:${load.port}`, load, connections);
  await using client = await startChild({
    module: new URL("../clients/client-main.ts", import.meta.url).href,
    parameters: spec,
    core,
  });
  const stop = () => void client.stop();
  signal.addEventListener("abort", stop);
  try {
    const request: RunRequest = { method: "getUser", inFlight: load.inFlight, calls: load.calls };
    const { calls, failed, seconds, p50, p99, dataBytes } = await client.ask<RunResult>("run", request);
    return { calls, failed, seconds, p50, p99, dataBytes };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
