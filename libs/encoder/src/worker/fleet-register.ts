import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context.ts";
import { forgetWorkers, noteWorkers, type WorkerRecord } from "../store/worker.store.ts";

/** Knows which workers are there: they say so whenever they ask for work. */
export type FleetRegister = {
  note(worker: WorkerRecord): void;
};

/** Between two writes, in milliseconds: a thousand workers that ask all the time cost one statement each time. */
const writeMs = 2_000;
/** Workers remembered between two writes. */
const most = 10_000;
const forgetMs = 3_600_000;

/** Makes the register; `keep` writes what it has learned until the signal aborts. */
export function createFleetRegister(context: Pick<Context, "db" | "logger">): FleetRegister & {
  keep(signal: AbortSignal): Promise<void>;
} {
  const seen = new Map<string, WorkerRecord>();
  return {
    note(worker) {
      if (seen.size < most || seen.has(worker.id)) seen.set(worker.id, worker);
    },
    async keep(signal) {
      let forgotAt = 0;
      while (!signal.aborted) {
        const workers = [...seen.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
        seen.clear();
        try {
          await noteWorkers(context.db, workers);
          if (Date.now() - forgotAt > forgetMs) {
            await forgetWorkers(context.db);
            forgotAt = Date.now();
          }
        } catch (error) {
          if (!signal.aborted) context.logger.debug({ err: error }, "could not note which workers are there");
        }
        await sleep(writeMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}
