import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TaskError } from "../task-error.ts";

/** Hands finished files over. */
export type Delivery = {
  /** Writes a file, tells the parent, and resolves when there is room for the next one. */
  deliver(path: string, bytes: Uint8Array): Promise<void>;
  /** The parent is done with a file. */
  taken(path: string): void;
  /** Resolves when the parent is done with every file. */
  settled(): Promise<void>;
};

/** What may lie on the disk, waiting for its upload. */
const maxWaitingBytes = 256 * 2 ** 20;
const maxWaitingFiles = 64;

/** Files appear under their names only when they are whole. `outputLimitBytes` bounds all of them together. */
export function createDelivery(options: {
  outDir: string;
  outputLimitBytes?: number | undefined;
  announce: (path: string, bytes: number) => Promise<void>;
}): Delivery {
  const waiting = new Map<string, number>();
  let waitingBytes = 0;
  let total = 0;
  let wake: (() => void)[] = [];

  const until = async (isReady: () => boolean) => {
    while (!isReady()) await new Promise<void>((resolve) => wake.push(resolve));
  };
  return {
    async deliver(path, bytes) {
      total += bytes.length;
      if (total > (options.outputLimitBytes ?? Number.POSITIVE_INFINITY)) {
        throw new TaskError("input", "The stream would become larger than this server allows.");
      }
      const target = join(options.outDir, path);
      try {
        await mkdir(dirname(target), { recursive: true });
        await writeFile(`${target}.part`, bytes);
        await rename(`${target}.part`, target);
      } catch (error) {
        throw new TaskError("machine", `The file ${path} could not be written: ${String(error)}`, { cause: error });
      }
      waiting.set(path, bytes.length);
      waitingBytes += bytes.length;
      await options.announce(path, bytes.length);
      await until(() => waiting.size < maxWaitingFiles && waitingBytes < maxWaitingBytes);
    },
    taken(path) {
      waitingBytes -= waiting.get(path) ?? 0;
      waiting.delete(path);
      const awake = wake;
      wake = [];
      for (const resolve of awake) resolve();
    },
    settled: () => until(() => waiting.size === 0),
  };
}
