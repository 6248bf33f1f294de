import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createClient, type Transport } from "@connectrpc/connect";
import { keepCompiledCode, type MediaTask, prepareChildren } from "@kinora/media/task";
import { type Task, TaskKind, WorkerService } from "@kinora/proto-encoder";
import type { Logger } from "@kinora/rpc";
import { defaultSlots, threadsOf } from "./capacity.ts";
import { findEncoderFamilies } from "./encoder-families.ts";
import { leaseLoop, type Offer } from "./lease-loop.ts";
import { memoryBudgetBytes, memoryLimitBytes, memoryOfThisMachine } from "./limits.ts";
import { createMemoryBudget, type MemoryBudget, type MemoryPlace } from "./memory-budget.ts";
import { createOutage } from "./outage.ts";
import { openSpool } from "./spool.ts";
import { type Outcome, workOnTask } from "./work.ts";

/** What a worker needs. */
export type WorkerOptions = {
  /** Calls the encoder, with the worker's credential. */
  transport: Transport;
  /** Folder for finished files until they are uploaded; the worker makes one of its own in it and removes it in the end. */
  spoolDir: string;
  /** Encodes at the same time; as many as fill this machine unless given. Two lighter tasks (a probe, a track of sound …) may run beside them. */
  slots?: number;
  /** Cores to count on; all that this process may run on unless given. */
  cores?: number;
  /** The most threads of a task's decoder and of an encoder; by the task, the cores and the slots unless given (`threadsOf`). */
  threads?: number;
  /** Bytes of memory for it and its tasks; what this machine (or container) has unless given. */
  memoryBytes?: number;
  /** Keeps a process ready for the next task: it begins a third of a second earlier, for some 80 MiB of memory; and those that have done one, for a moment, for others of the same encode. */
  keepsChildReady?: boolean;
  /** A name for logs, unique among the workers of an encoder. */
  workerId: string;
  logger: Logger;
  /** Time for running tasks to finish once the signal has come, in milliseconds; 2,000 unless given. Then they are handed back. */
  drainGraceMs?: number;
  /** How long a task goes on without an answer of the encoder, in milliseconds; 120,000 unless given. */
  giveUpMs?: number;
  /** Finds the encoder families that work here; tests of routing, which have no GPU, give another one. */
  findFamilies?: (logger: Logger, signal: AbortSignal) => Promise<string[]>;
  /** Once it aborts, the worker leases nothing more; what it has goes on to its end, and `run` resolves then. */
  retire?: AbortSignal;
};

/** An encoding worker. */
export type Worker = {
  /** Encodes at the same time. */
  slots: number;
  /**
   * Works until `signal` comes; then leases nothing more, lets running tasks finish for `drainGraceMs`, hands the others back and
   * resolves, two seconds after that at the latest. Rejects only when the spool folder can't be made.
   */
  run(signal: AbortSignal): Promise<void>;
};

/** What fills a machine. */
const heavyKinds = [TaskKind.ENCODE_CHUNK, TaskKind.TRIAL, TaskKind.ENCODE];
/** What mostly waits for bytes. These run beside the others, so that a stream's beginning doesn't wait for another's end. */
const lightKinds = [TaskKind.PROBE, TaskKind.ANALYSE, TaskKind.AUDIO, TaskKind.IMAGES, TaskKind.VERIFY];

/** Light tasks at the same time: the sound of a film takes minutes, and the rest of its chunks waits for the analysis. */
const lightLanes = 2;

/** Makes a worker; `run` starts it. */
export function createWorker(options: WorkerOptions): Worker {
  const { transport, spoolDir, workerId, logger, drainGraceMs = 2_000, giveUpMs = 120_000 } = options;
  const client = createClient(WorkerService, transport);
  const { retire, keepsChildReady = false } = options;
  const visible = availableParallelism();
  const { cores = visible } = options;
  const { memoryBytes = memoryOfThisMachine() } = options;
  const { slots = defaultSlots(cores, memoryBytes) } = options;
  const threads = (task: MediaTask, attempt: number) =>
    options.threads ?? threadsOf(task, { cores, slots, visible }, attempt);
  const memoryLimit = memoryLimitBytes(memoryBytes);
  const budget = createMemoryBudget(memoryBudgetBytes(memoryBytes));
  const { findFamilies = findEncoderFamilies } = options;
  const about = { workerId, slots, cores, memoryBytes: BigInt(memoryBytes) };
  return {
    slots,
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
      const work = async (task: Task, place: MemoryPlace, onDraining: () => void): Promise<Outcome> => {
        if (task.lease === undefined) {
          logger.error({ encodeId: task.encodeId }, "the encoder gave a task without a lease");
          return "machine fault";
        }
        const limits = { giveUpMs, memoryLimitBytes: memoryLimit, threads };
        const deps = { client, spool, logger, ...limits, handBack: handBack.signal };
        return workOnTask(deps, task.lease, task, { onDraining, place });
      };
      keepCompiledCode(join(spool.path, "compiled"));
      const ready = keepsChildReady ? prepareChildren() : undefined;
      try {
        const encoders = await findFamilies(logger, leasing);
        const loop = (kinds: Offer["kinds"], takePlace: MemoryBudget["take"]) =>
          leaseLoop({ client, offer: { ...about, encoders, kinds }, outage, work, takePlace, signal: leasing });
        const beside: MemoryBudget["take"] = async (stop) => (stop.aborted ? undefined : budget.beside());
        const heavy = Array.from({ length: slots }, () => loop(heavyKinds, budget.take));
        const light = Array.from({ length: lightLanes }, () => loop(lightKinds, beside));
        await Promise.all([...heavy, ...light]);
      } finally {
        // Before the folder goes that it writes to.
        await ready?.[Symbol.asyncDispose]();
        signal.removeEventListener("abort", drain);
        clearTimeout(grace);
        await spool.remove();
      }
    },
  };
}
