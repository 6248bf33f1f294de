import type { TaskFault } from "./task-error.ts";
import type { EncodeTask, ProbeTask, TaskProgress } from "./task-options.ts";
import type { MediaInfo, StreamResult } from "./types.ts";

/** What the child says to its parent. */
export type ChildMessage =
  /** It is alive and this large, in bytes of resident memory; sent several times a second. */
  | { type: "alive"; memoryBytes: number }
  | ({ type: "progress" } & TaskProgress)
  /** A file is complete; the parent answers with `taken`. */
  | { type: "file"; path: string; bytes: number }
  /** The last message: what came of it. */
  | { type: "result"; result: MediaInfo | StreamResult }
  | { type: "fault"; kind: TaskFault; message: string; detail: string };

/** What the parent says to the child. */
export type ParentMessage =
  /** The first message. */
  | { type: "start"; task: ProbeTask | EncodeTask; outputLimitBytes?: number | undefined }
  /** The file's receiver is done with it. */
  | { type: "taken"; path: string };
