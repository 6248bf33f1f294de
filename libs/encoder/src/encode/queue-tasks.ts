import { randomUUID } from "node:crypto";
import type { Context } from "../context.ts";
import type { TaskKind } from "../domain/task-kind.ts";
import { fairPlaces } from "../queue/fair-order.ts";
import type { Db } from "../store/db.ts";
import { lockFairShare, moveFairShare } from "../store/fairness.store.ts";
import type { LockedEncode } from "../store/locked-encode.store.ts";
import { insertTasks, type NewTask } from "../store/task.store.ts";

/** A task that an encode needs. */
export type WantedTask = Omit<NewTask, "id" | "place"> & { kind: TaskKind };

/** Makes and queues tasks of an encode, in the order in which they are wanted. After the commit, call `announceTasks` with the answer. */
export async function queueTasks(
  context: Pick<Context, "queue">,
  db: Db,
  encode: Pick<LockedEncode, "id" | "ownerId" | "priority">,
  wanted: readonly WantedTask[],
): Promise<string[]> {
  if (wanted.length === 0) return [];
  const { finish, reached } = await lockFairShare(db, encode.ownerId);
  // Light work has queues of its own, where the amount of video says little.
  const costs = wanted.map((task) => (task.kind === "encode_chunk" ? task.weight : 0));
  const { places, share } = fairPlaces(costs, { finish }, reached, encode.priority);
  await moveFairShare(db, encode.ownerId, share.finish);
  const tasks: NewTask[] = wanted.map((task, index) => ({ ...task, id: randomUUID(), place: places[index] ?? 0 }));
  await insertTasks(db, encode.id, tasks);
  const queues = [...new Set(tasks.map((task) => task.queue))];
  for (const queue of queues) {
    const own = tasks.filter((task) => task.queue === queue);
    await context.queue.sendTasks(
      db,
      queue,
      own.map(({ id, place }) => ({ id, place, ownerId: encode.ownerId })),
    );
  }
  return queues;
}

/** Wakes whoever waits for tasks, if these queues are any. */
export function announceTasks(context: Pick<Context, "taskSignal">, queues: readonly string[]): void {
  if (queues.length > 0) context.taskSignal.announce();
}
