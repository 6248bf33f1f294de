import { createClient, type Transport } from "@connectrpc/connect";
import { type Task, WorkerService } from "@kinora/proto-encoder";
import type { Logger } from "@kinora/rpc";
import { leaseLoop } from "./lease-loop.ts";
import { memoryLimitBytes } from "./limits.ts";
import { createOutage } from "./outage.ts";
import { openSpool } from "./spool.ts";
import { type Outcome, workOnTask } from "./work.ts";

/** What a worker needs. */
export type WorkerOptions = {
  /** Calls the encoder, with the worker's credential. */
  transport: Transport;
  /** Folder for finished files until they are uploaded; the worker makes one of its own in it and removes it in the end. */
  spoolDir: string;
  /** Tasks at the same time; 1 unless given. */
  slots?: number;
  /** A name for logs, unique among the workers of an encoder. */
  workerId: string;
  logger: Logger;
  /** Time for running tasks to finish once the signal has come, in milliseconds; 2,000 unless given. Then they are handed back. */
  drainGraceMs?: number;
  /** How long a task goes on without an answer of the encoder, in milliseconds; 120,000 unless given. */
  giveUpMs?: number;
  /** Once it aborts, the worker leases nothing more; what it has goes on to its end, and `run` resolves then. */
  retire?: AbortSignal;
};

/** An encoding worker. */
export type Worker = {
  /**
   * Works until `signal` comes; then leases nothing more, lets running tasks finish for `drainGraceMs`, hands the others back and
   * resolves, two seconds after that at the latest. Rejects only when the spool folder can't be made.
   */
  run(signal: AbortSignal): Promise<void>;
};

/** Makes a worker; `run` starts it. */
export function createWorker(options: WorkerOptions): Worker {
  const { transport, spoolDir, slots = 1, workerId, logger, drainGraceMs = 2_000, giveUpMs = 120_000 } = options;
  const client = createClient(WorkerService, transport);
  const { retire } = options;
  const memory = memoryLimitBytes(slots);
  return {
    async run(signal) {
      const spool = await openSpool(spoolDir);
      const leasing = retire === undefined ? signal : AbortSignal.any([signal, retire]);
      const handBack = new AbortController();
      let grace: NodeJS.Timeout | undefined;
      const drain = () => {
        grace = setTimeout(() => handBack.abort(), drainGraceMs);
      };
      signal.addEventListener("abort", drain, { once: true });
      const outage = createOutage(logger);
      const work = async (task: Task): Promise<Outcome> => {
        if (task.lease === undefined) {
          logger.error({ encodeId: task.encodeId }, "the encoder gave a task without a lease");
          return "machine fault";
        }
        const deps = { client, spool, logger, giveUpMs, memoryLimitBytes: memory, handBack: handBack.signal };
        return workOnTask(deps, task.lease, task);
      };
      try {
        await Promise.all(
          Array.from({ length: slots }, () =>
            leaseLoop({ client, workerId, encoders: ["cpu"], outage, work, signal: leasing }),
          ),
        );
      } finally {
        signal.removeEventListener("abort", drain);
        clearTimeout(grace);
        await spool.remove();
      }
    },
  };
}
