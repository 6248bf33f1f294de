import type { Logger } from "@kinora/rpc";
import type { ObjectStore } from "@kinora/storage";
import type { Queue } from "./queue/queue.ts";
import type { TaskSignal } from "./queue/task-signal.ts";
import type { EncoderDb } from "./store/db.ts";
import type { Streams } from "./stream/streams.ts";
import type { Wakeups } from "./wakeups.ts";
import type { SettleTurns } from "./worker/settle-turns.ts";

/** What the encoder's operations share. */
export type Context = {
  db: EncoderDb;
  queue: Queue;
  storage: ObjectStore;
  logger: Logger;
  /** Keyed by encode: its state or progress has changed. */
  encodeChanged: Wakeups;
  /** A task waits. */
  taskSignal: TaskSignal;
  /** How often tasks are looked for without a signal, in milliseconds. */
  taskPollMs: number;
  triesElsewhere: boolean;
  /** How long encodes wait for a GPU's workers that are gone before they begin anew on the CPU, in seconds; 0: for ever. */
  gpuPatienceSeconds: number;
  /** Streams of many tasks, as they can be played now. */
  streams: Streams;
  /** How workers reach this service. */
  internalUrl: () => string;
  /** How long a worker can read a source by an address, in seconds. */
  sourceUrlSeconds: number;
  /** Tasks of one queue that a person has in the hands of workers at a time, at most. */
  perPersonCap: number;
  /** Results of tasks take turns under their encodes' locks. */
  settleTurns: SettleTurns;
  /** Publications of streams under way, by lease. */
  publications: Map<string, Promise<void>>;
  /** Aborts when this process stops. */
  stopping: AbortSignal;
};
