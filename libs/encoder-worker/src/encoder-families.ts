import { existsSync } from "node:fs";
import { runTask } from "@kinora/media/task";
import type { Logger } from "@kinora/rpc";

/** What drivers of GPUs put into the file system. */
const devices = ["/dev/nvidia0", "/dev/nvidiactl", "/dev/dri/renderD128"];

/** The families of encoders that work on this machine; `cpu` always does. Where a GPU shows, each is really opened, in a process of its own, since drivers crash. */
export async function findEncoderFamilies(logger: Logger, signal: AbortSignal): Promise<string[]> {
  if (!devices.some((device) => existsSync(device))) return ["cpu"];
  try {
    const found = await runTask({ task: { kind: "families" }, signal, timeLimitMs: 30_000, noProgressMs: 30_000 });
    logger.info({ families: found }, "encoder families that work here");
    return found.includes("cpu") ? found : ["cpu", ...found];
  } catch (error) {
    if (!signal.aborted) logger.warn({ err: error }, "the GPU's encoders could not be tried: encoding on the CPU");
    return ["cpu"];
  }
}
