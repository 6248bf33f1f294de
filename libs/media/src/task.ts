import { runChild } from "./task-child.ts";
import type { MediaTask, ResultOf, TaskOptions } from "./task-options.ts";

export { keepCompiledCode, prepareChildren } from "./child-pool.ts";
export { TaskError, type TaskFault } from "./task-error.ts";
export type {
  AnalyseTask,
  AudioTask,
  EncodeChunkTask,
  EncodeTask,
  FamiliesTask,
  ImagesTask,
  MediaTask,
  ProbeTask,
  ResultOf,
  TaskOptions,
  TaskProgress,
  TrialTask,
  VerifyTask,
} from "./task-options.ts";

/**
 * Runs one task in a child process of its own, the only place that loads FFmpeg. Rejects with a `TaskError`: `input` with a sentence for the person who sent the
 * video, `machine` and `crash` with one for the operator, `cancelled` after the signal. When it settles, the child is gone, or with `video` it waits a moment
 * for the next task of the same one; what it wrote to `outDir` stays.
 */
export function runTask<Task extends MediaTask>(options: TaskOptions & { task: Task }): Promise<ResultOf<Task>> {
  return runChild(options) as Promise<ResultOf<Task>>;
}
