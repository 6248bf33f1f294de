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
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await scratch());
  await bundle("tools/bench/src/encode/worker-main.ts", join(path, "app"), signal);
  const module = pathToFileURL(join(path, "app/main.js")).href;
  const parameters: WorkerParameters = { folder: path };
  const folder = stack.move();
  return {
    async start(core) {
      const worker = await startChild({ module, parameters, core });
      const stop = () => void worker.stop();
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      return worker;
    },
    [Symbol.asyncDispose]: () => folder.disposeAsync(),
  };
}
