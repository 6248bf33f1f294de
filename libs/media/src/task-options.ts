import type { EncodePlan } from "./types.ts";

/** Find out what a source contains. `sourceUrl` is http(s) with range requests, or a file's path. */
export type ProbeTask = { kind: "probe"; sourceUrl: string };

/** Make a stream of a source: segments, initialisation segments and poster go to `outDir`, which must exist. */
export type EncodeTask = { kind: "encode"; sourceUrl: string; plan: EncodePlan; outDir: string };

/** How far a task is. */
export type TaskProgress = {
  /** Source frames done. */
  frames: number;
  /** Part done, 0 to 1. */
  fraction: number;
  /** Seconds of video done per second of time; 0 while unknown. */
  speed: number;
};

/** Limits and listeners of a task. */
export type TaskOptions = {
  signal: AbortSignal;
  /** The child is killed after this time, whatever it does. */
  timeLimitMs: number;
  /** The child is killed when nothing has moved for this long, other than by waiting for `onFile`. */
  noProgressMs: number;
  /** The child is killed when its resident memory grows beyond this. */
  memoryLimitBytes?: number;
  /** The task fails when its files together grow beyond this. */
  outputLimitBytes?: number;
  onProgress?: (progress: TaskProgress) => void;
  /**
   * A finished file, by its path relative to `outDir` (such as `720p/1.m4s`) and its length. The file is the caller's from here on: it may be
   * deleted at once. The encode waits while too many promises returned from here are unsettled, so that a slow upload doesn't fill the disk; a rejection ends the task.
   */
  onFile?: (path: string, bytes: number) => void | Promise<void>;
};
