import type { EncodeState } from "./encode-state.ts";
import { encoderFamilies, encoderQueue, type TaskKind } from "./task-kind.ts";

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
  /** Seconds of video per second of time, of all together. */
  speed: number;
};

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
      const speed = sum(chunks, (group) => group.speed) / families;
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

/** All of an encode's work in lengths of its video, also that which isn't a task yet. */
function workShare(groups: readonly TaskGroup[], families: number): number {
  if (groups.some((group) => group.kind === "encode")) return 1; // whole, in one go
  const sounds = sum(
    groups.filter((group) => group.kind === "audio"),
    (group) => group.tasks,
  );
  return families + sounds * soundShare + imagesShare + checkShare;
}

/**
 * What waits, and for what: a line for people for each kind of work.
 * @param families those that live workers have; undefined where that isn't known
 */
export function waitingLines(state: EncodeState, groups: readonly TaskGroup[], families?: readonly string[]): string[] {
  if (state === "planning") return ["The plan waits for its quota."];
  return groups
    .filter((group) => group.state === "waiting" && group.tasks > 0)
    .map(({ kind, tasks, queue }) => `${waiters(kind, tasks)} for a worker with ${queue}${absence(queue, families)}`);
}

/** What to do where there is no such worker. An encode that has begun with a GPU's encoder stays with it: a stream has one family. */
function absence(queue: string, families: readonly string[] | undefined): string {
  if (families === undefined) return "";
  if (families.length === 0) return ", but there is no worker at all: start one";
  const own = encoderFamilies.find((family) => encoderQueue(family) === queue);
  if (own === undefined || families.includes(own)) return "";
  const anew = `the workers that are there have ${families.join(", ")}`;
  return `, but none is there: start one, or cancel the encode and start it anew (${anew})`;
}

function waiters(kind: TaskKind, tasks: number): string {
  const [one, many] = names[kind];
  return tasks === 1 ? `${one} waits` : `${tasks} ${many} wait`;
}

const names: Readonly<Record<TaskKind, [one: string, many: string]>> = {
  probe: ["the look into the file", "looks into the file"],
  encode: ["the encode", "encodes"],
  analyse: ["the reading of the whole file", "readings of the whole file"],
  encode_chunk: ["1 chunk", "chunks"],
  audio: ["1 sound track", "sound tracks"],
  images: ["the storyboard", "storyboards"],
  trial: ["1 trial", "trials"],
  verify: ["the check of the stream", "checks of the stream"],
};

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function bounded(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}
