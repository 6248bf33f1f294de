/** The encoding worker: leases tasks from `encoder.v1.WorkerService`, runs each in a child process and brings the results in. */
export { defaultSlots, threadsOf } from "./capacity.ts";
export { nicenessOf } from "./niceness.ts";
export { createSlot } from "./slot.ts";
export { createWorker, type Worker, type WorkerOptions } from "./worker.ts";
