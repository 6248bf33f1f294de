import type { TaskFault } from "./task-error.ts";
import type { MediaResult, MediaTask, TaskProgress } from "./task-options.ts";
import type { TrackResult } from "./types.ts";

/** What the child says to its parent. */
export type ChildMessage =
  /** It is alive and this large, in bytes of resident memory, and has been this long on a processor for the task; sent several times a second, and at the end. */
  | { type: "alive"; memoryBytes: number; cpuSeconds: number }
  | ({ type: "progress" } & TaskProgress)
  /** The source is read; what is left is in the encoders, or with one thread in files that are to be taken. */
  | { type: "draining" }
  /** A file is complete; the parent answers with `taken`. */
  | { type: "file"; path: string; bytes: number }
  /** A track as far as its files were announced. */
  | { type: "track"; track: TrackResult }
  /** The last message about a task: what came of it, and how far the child stands back by now. */
  | { type: "result"; result: MediaResult; niceness: number }
  | { type: "fault"; kind: TaskFault; message: string; detail: string };

/** What the parent says to the child. */
export type ParentMessage =
  /** The first message about a task. */
  | ({ type: "start"; task: MediaTask } & Partial<
      Record<"outputLimitBytes" | "threads" | "niceness", number | undefined>
    >)
  /** The source has another address from now on. */
  | { type: "source"; url: string }
  /** The file's receiver is done with it. */
  | { type: "taken"; path: string };
