import type { TaskGroup } from "../domain/progress.ts";

/** One chunk on the CPU that waits, but for `changes`. */
export const taskGroup = (changes: Partial<TaskGroup>): TaskGroup => ({
  kind: "encode_chunk",
  queue: "encode.cpu",
  state: "waiting",
  tasks: 1,
  weight: 0,
  doneWeight: 0,
  frames: 0,
  draining: 0,
  speed: 0,
  timed: 0,
  ...changes,
});
