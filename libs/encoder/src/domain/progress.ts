import type { EncodeState } from "./encode-state.ts";

/** How far an encode is, as callers see it. */
export type Progress = {
  /** Part done, 0 to 1. */
  fraction: number;
  frames: number;
  /** Seconds of video per second of time; 0 while unknown. */
  speed: number;
  remainingSeconds?: number;
};

/** What a worker has reported of the task that it works on. */
export type TaskProgress = { fraction: number; frames: number; speed: number };

/** The part of an encode that probing and planning stand for: next to nothing. */
const probeShare = 0.01;

/** An encode's progress from its state, its encode task's last report and its source's length in seconds (0 while unknown). */
export function progressOf(state: EncodeState, task: TaskProgress | undefined, durationSeconds: number): Progress {
  switch (state) {
    case "queued":
      return { fraction: 0, frames: 0, speed: 0 };
    case "probing":
      return { fraction: probeShare * bounded(task?.fraction ?? 0), frames: 0, speed: 0 };
    case "planning":
    case "planned":
      return { fraction: probeShare, frames: 0, speed: 0 };
    case "encoding":
      return encoding(task, durationSeconds);
    case "succeeded":
      return { fraction: 1, frames: task?.frames ?? 0, speed: task?.speed ?? 0, remainingSeconds: 0 };
    case "failed":
    case "cancelled":
      return { fraction: 0, frames: task?.frames ?? 0, speed: 0 };
  }
}

function encoding(task: TaskProgress | undefined, durationSeconds: number): Progress {
  const done = bounded(task?.fraction ?? 0);
  const speed = task?.speed ?? 0;
  return {
    fraction: probeShare + (1 - probeShare) * done,
    frames: task?.frames ?? 0,
    speed,
    ...(speed > 0 && durationSeconds > 0 ? { remainingSeconds: ((1 - done) * durationSeconds) / speed } : {}),
  };
}

function bounded(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}
