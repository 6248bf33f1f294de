import type { Logger } from "@kinora/rpc";
import type { ObjectStore } from "@kinora/storage";
import type { Queue } from "./queue/queue.ts";
import type { EncoderDb } from "./store/db.ts";
import type { Wakeups } from "./wakeups.ts";

/** What the encoder's operations share. */
export type Context = {
  db: EncoderDb;
  queue: Queue;
  storage: ObjectStore;
  logger: Logger;
  /** Keyed by encode: its state or progress has changed. */
  encodeChanged: Wakeups;
  /** Keyed by task queue: a task waits. */
  taskWaits: Wakeups;
  /** Publications of streams under way, by lease. */
  publications: Map<string, Promise<void>>;
  /** Aborts when this process stops. */
  stopping: AbortSignal;
};
