import { runChild } from "./task-child.ts";
import type { EncodeTask, ProbeTask, TaskOptions } from "./task-options.ts";
import type { MediaInfo, StreamResult } from "./types.ts";

export { TaskError, type TaskFault } from "./task-error.ts";
export type { EncodeTask, ProbeTask, TaskOptions, TaskProgress } from "./task-options.ts";

/**
 * Runs one task in a child process of its own, the only place that loads FFmpeg. Rejects with a `TaskError`: `input` with a sentence for the person who sent the
 * video, `machine` with one for the operator, `cancelled` after the signal. When it settles, the child is gone; what it wrote to `outDir` stays.
 */
export function runTask(options: TaskOptions & { task: ProbeTask }): Promise<MediaInfo>;
export function runTask(options: TaskOptions & { task: EncodeTask }): Promise<StreamResult>;
export function runTask(options: TaskOptions & { task: ProbeTask | EncodeTask }): Promise<MediaInfo | StreamResult> {
  return runChild(options);
}
