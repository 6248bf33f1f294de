import type { MediaTask } from "@kinora/media/task";

const gibibyte = 2 ** 30;

/** Memory that a slot is to have at least, in bytes: a ladder of a large source takes about half of it. */
const memoryOfSlot = 1.5 * gibibyte;

/**
 * Slots of a worker that has a machine (or container) to itself: one for each core, where memory suffices. A chunk in one thread takes less CPU than one that is spread over several, and chunks are what a video is
 * spread over (`docs/media-tasks.md`).
 */
export function defaultSlots(cores: number, memoryBytes: number): number {
  return Math.max(1, Math.min(Math.floor(memoryBytes / memoryOfSlot), cores));
}

/** The cores that count, the tasks at the same time, and the cores that FFmpeg would count by itself. */
type Machine = { cores: number; slots: number; visible?: number };

/** x264's own number of threads for so many cores. */
const threadsFor = (cores: number) => Math.ceil(1.5 * cores);

/** From this attempt on, a task has one thread: half the memory suffices for that, should it have failed for want of it. */
const frugalAttempt = 3;

/** As many cores as one chunk may take on a large machine. */
const mostCores = 8;

/**
 * The most threads of a task's encoders and of its decoder (smaller renditions have fewer), in one of so many slots; 0 for as many as they like, 1 for one thread that does all of it. A slot with several cores makes use of
 * them. With one, a task makes do with it, but for what is a whole stream or its beginning: people wait for that, and it comes before others (`nicenessOf`).
 */
export function threadsOf(task: MediaTask, { cores, slots, visible = cores }: Machine, attempt = 1): number {
  if (cores === 1 || attempt >= frugalAttempt) return 1;
  if (slots === 1) return cores < visible ? threadsFor(cores) : 0;
  if (slots < cores) return Math.max(3, threadsFor(cores / slots));
  const isAwaited = task.kind === "encode" || (task.kind === "encode-chunk" && task.chunk.index === 0);
  return isAwaited ? threadsFor(Math.min(cores, mostCores)) : 1;
}
