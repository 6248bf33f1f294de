import type { TaskKind } from "./task-kind.ts";

/** Time between heartbeats that workers are asked to keep, in seconds. */
export const heartbeatSeconds = 2;

/** A lease ends this long after its last heartbeat, in seconds. With the sweep's interval, a dead worker's task waits again within 15 s. */
export const leaseSeconds = 11;

/** Leases that may end by a machine's fault before an encode is given up. */
export const maxFaults = 5;

/** Where a task stands. */
export type TaskState = "waiting" | "leased" | "done" | "failed" | "cancelled";

/**
 * What a worker's call with a lease means for the task as it is now. `held`: the lease counts. `completed`, `failed` and `returned`: the task was
 * settled under this very lease, so the call is a repetition. `cancelled`: nobody waits for the result. `lost`: another attempt has begun.
 */
export type LeaseStanding = "held" | "completed" | "failed" | "returned" | "cancelled" | "lost";

/** How a lease with this attempt stands; a task that doesn't exist any more was deleted with its encode. */
export function leaseStanding(task: { state: TaskState; attempt: number } | undefined, attempt: number): LeaseStanding {
  if (task === undefined || task.state === "cancelled") return "cancelled";
  if (task.attempt !== attempt) return "lost";
  return settled[task.state];
}

const settled = { leased: "held", done: "completed", failed: "failed", waiting: "returned" } as const;

/** Crashes of a task's program after which the file is to blame: the first one may be a machine's, and the task is then tried on another one if there is any. */
export const maxCrashes = 2;

/** What a worker said of a task's end, or what we know of its silence. */
export type Fault = { message: string; crashed: boolean };

/** What becomes of a task whose lease ended by a machine's fault. `reason`: why the task was given up; `error`: the same for the encode, in which nothing else tells what was tried. */
export type AfterFault = { retry: true; delaySeconds: number } | { retry: false; reason: string; error: string };

/**
 * Decides what follows a fault that is the machine's, as far as one machine can tell.
 * @param task its faults and crashes, this one included
 * @param work what it was to do, such as `encode chunk 3`
 */
export function afterFault(
  { kind, faults, crashes }: { kind: TaskKind; faults: number; crashes: number },
  { message, crashed }: Fault,
  work: string,
): AfterFault {
  // A verification reads what we have made, and not the file.
  if (crashed && crashes >= maxCrashes && kind !== "verify") {
    const often = crashes === 2 ? "twice" : `${crashes} times`;
    const todo =
      "Send the video saved anew by another program. If other files end like this, the machines are at fault.";
    return {
      retry: false,
      reason: `The program crashed at this file, ${often}. ${message}`,
      error: `This file made the program crash ${often} that was to ${work}. ${todo}`,
    };
  }
  if (faults < maxFaults) return { retry: true, delaySeconds: faults === 1 ? 0 : 2 ** (faults - 1) };
  const reason = `It was given up after ${maxFaults} attempts. The last one ended like this: ${message}`;
  return { retry: false, reason, error: `A worker could not ${work}. ${reason}` };
}

/**
 * The longest time that a worker may take for a task, in seconds: generous, since it only has to end what would never end.
 * @param weight the task's part of the video in seconds; the whole video's length for tasks that read all of it
 */
export function timeLimitSeconds(kind: TaskKind, weight: number): number {
  const generous = { probe: 600, analyse: 1800 + weight, audio: 1800 + weight, images: 1800 + weight };
  const limit = kind in generous ? generous[kind as keyof typeof generous] : 3600 + 60 * weight;
  // pg-boss gives a job that has been active for a day to somebody else.
  return Math.ceil(Math.min(limit, 23 * 3600));
}
