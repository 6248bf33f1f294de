import type { EncodeState } from "./encode-state.ts";
import type { TaskGroup } from "./progress.ts";
import { encoderFamilies, encoderQueue, type TaskKind } from "./task-kind.ts";

/** Who could do an encode's work. */
export type Fleet = {
  /** The encoder families that live workers have. */
  live: readonly string[];
  /** For how many seconds no worker has asked for work of each family that isn't live, as far as that is known. */
  goneSeconds: ReadonlyMap<string, number>;
  /** How long an encode waits for a family that is gone before it begins anew on the CPU, in seconds; 0: for ever, as one does whose settings name its family. */
  patienceSeconds: number;
};

/**
 * What waits, and for what: a line for people for each kind of work.
 * @param fleet undefined where it isn't known
 */
export function waitingLines(state: EncodeState, groups: readonly TaskGroup[], fleet?: Fleet): string[] {
  if (state === "planning") return ["The plan waits for its quota."];
  return groups
    .filter((group) => group.state === "waiting" && group.tasks > 0)
    .map(({ kind, tasks, queue }) => `${waiters(kind, tasks)} for a worker with ${queue}${absence(queue, fleet)}`);
}

/** What happens, or what to do, where there is no such worker. An encode that has begun with a GPU's encoder stays with it: a stream has one family. */
function absence(queue: string, fleet: Fleet | undefined): string {
  if (fleet === undefined) return "";
  const { live, goneSeconds, patienceSeconds } = fleet;
  if (live.length === 0) return ", but there is no worker at all: start one";
  const own = encoderFamilies.find((family) => encoderQueue(family) === queue);
  if (own === undefined || live.includes(own)) return "";
  const there = `the workers that are there have ${live.join(", ")}`;
  if (own === "cpu" || patienceSeconds === 0) {
    return `, but none is there: start one, or cancel the encode and start it anew (${there})`;
  }
  if (!live.includes("cpu")) return `, but none is there: start one, or one with a CPU (${there})`;
  const minutes = Math.ceil((patienceSeconds - (goneSeconds.get(own) ?? patienceSeconds)) / 60);
  const time = minutes > 1 ? `within ${minutes} minutes` : "within a minute";
  return `, but none is there: start one ${time}, or it begins anew on the CPU`;
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
