import type { EncodeState } from "./encode-state.ts";
import type { TaskKind } from "./task-kind.ts";

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

/** The tasks of one kind and queue of an encode that are in one state. */
export type TaskGroup = {
  kind: TaskKind;
  queue: string;
  state: "waiting" | "leased" | "done" | "failed" | "cancelled";
  tasks: number;
  /** Seconds of video that they stand for, and how many of those are done. */
  weight: number;
  doneWeight: number;
  frames: number;
  /** Those of them that only give out their last pictures, while their worker has begun another. They count in what is done, and not in the speed. */
  draining: number;
  /** Seconds of video per second of time, of all together whose speed is known. */
  speed: number;
  /** How many those are: a task that has just begun tells none. */
  timed: number;
};

/** The tasks of an encode that make one track, together. */
export type TrackTotals = {
  name: string;
  kind: TaskKind;
  weight: number;
  doneWeight: number;
  bytes: number;
  measured: number;
  xpsnr: number;
  /** Tasks at work on it, how many of them tell their speed, and the sum of that. */
  working: number;
  timed: number;
  speed: number;
  /** Mean speed of the tasks that are done; 0 while there is none. */
  usualSpeed: number;
};

/** How far a track is. `remainingSeconds` is there while somebody works on it. */
export type TrackProgress = Pick<Progress, "fraction" | "speed" | "remainingSeconds">;

/** The part of an encode that probing and planning stand for: next to nothing. */
const probeShare = 0.01;
/** The parts of a video's length that its sound tracks, its pictures and its check count for, each. */
export const soundShare = 1 / 50;
/** See `soundShare`. */
export const imagesShare = 1 / 50;
/** See `soundShare`. */
export const checkShare = 1 / 20;

/** An encode's progress from its state, the last reports of its tasks and its source's length in seconds (0 while unknown). */
export function progressOf(state: EncodeState, groups: readonly TaskGroup[], durationSeconds: number): Progress {
  const chunks = groups.filter((group) => group.kind === "encode_chunk" || group.kind === "encode");
  // Where encoder families share a chunk, each counts its frames.
  const families = Math.max(1, new Set(chunks.map((group) => group.queue)).size);
  const frames = Math.round(sum(chunks, (group) => group.frames) / families);
  switch (state) {
    case "queued":
    case "probing":
      return { fraction: probeShare * bounded(sum(groups, (group) => group.doneWeight)), frames: 0, speed: 0 };
    case "planning":
    case "planned":
    case "encoding":
    case "verifying": {
      const total = durationSeconds * workShare(groups, families);
      const done = total > 0 ? bounded(sum(groups, (group) => group.doneWeight) / total) : 0;
      const speed = speedOf(chunks) / families;
      const left = (1 - done) * durationSeconds;
      return {
        fraction: probeShare + (1 - probeShare) * 0.999 * done,
        frames,
        speed,
        ...(speed > 0 && durationSeconds > 0 ? { remainingSeconds: left / speed } : {}),
      };
    }
    case "succeeded":
      return { fraction: 1, frames, speed: 0, remainingSeconds: 0 };
    case "failed":
    case "cancelled":
      return { fraction: 0, frames, speed: 0 };
  }
}

/** Whether the source is read, so that the list of chunks is whole. */
export function chunksAreKnown(groups: readonly TaskGroup[]): boolean {
  return groups.some((group) => group.kind === "analyse" && group.state === "done");
}

/**
 * A track's progress.
 * @param durationSeconds the source's length, 0 while unknown
 * @param isPlanned whether all of its tasks are there: chunks aren't while the source is read, and a rendition's share is then one of the video's length
 */
export function trackProgressOf(track: TrackTotals, durationSeconds: number, isPlanned: boolean): TrackProgress {
  const { kind, weight, doneWeight, working, timed, usualSpeed } = track;
  const total = isPlanned || kind === "audio" ? weight : Math.max(weight, durationSeconds);
  const fraction = total > 0 ? bounded(doneWeight / total) : 0;
  const speed = track.speed + (working - timed) * usualSpeed;
  const isTimed = speed > 0 && durationSeconds > 0;
  return { fraction, speed, ...(isTimed && { remainingSeconds: ((1 - fraction) * durationSeconds) / speed }) };
}

/** Of what is under way, with the usual speed of what is done for what has just begun: otherwise the time left would leap with each chunk. */
function speedOf(chunks: readonly TaskGroup[]): number {
  const done = chunks.filter((group) => group.state === "done");
  const timed = sum(done, (group) => group.timed);
  const usual = timed > 0 ? sum(done, (group) => group.speed) / timed : 0;
  const leased = chunks.filter((group) => group.state === "leased");
  return sum(leased, (group) => group.speed + (group.tasks - group.draining - group.timed) * usual);
}

/** All of an encode's work in lengths of its video, also that which isn't a task yet. */
function workShare(groups: readonly TaskGroup[], families: number): number {
  if (groups.some((group) => group.kind === "encode")) return 1; // whole, in one go
  const sounds = sum(
    groups.filter((group) => group.kind === "audio"),
    (group) => group.tasks,
  );
  return families + sounds * soundShare + imagesShare + checkShare;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function bounded(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}
