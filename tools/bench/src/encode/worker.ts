import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle } from "../harness/bundle.ts";
import { type Child, startChild } from "../harness/child.ts";
import { scratch } from "./kinora-encode.ts";
import type { WorkerParameters } from "./worker-main.ts";

/** Workers for measuring (`worker-main.ts`), bundled with their tasks as their image has them. They end with the signal. */
export type Workers = AsyncDisposable & {
  /** Starts one, on a core of its own if that is named. It keeps compiled code from one task to the next. */
  start(core?: number): Promise<Child>;
};

export async function bundleWorkers(signal: AbortSignal): Promise<Workers> {
  const folder = await scratch();
  await bundle("tools/bench/src/encode/worker-main.ts", join(folder.path, "app"), signal);
  const module = pathToFileURL(join(folder.path, "app/main.js")).href;
  const parameters: WorkerParameters = { compiledDir: join(folder.path, "compiled") };
  return {
    async start(core) {
      const worker = await startChild({ module, parameters, core });
      signal.addEventListener("abort", () => void worker.stop(), { once: true });
      return worker;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
