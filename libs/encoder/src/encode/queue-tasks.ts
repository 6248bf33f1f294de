import { randomUUID } from "node:crypto";
import type { Context } from "../context.ts";
import { lightQueue, type TaskKind } from "../domain/task-kind.ts";
import { fairPlaces } from "../queue/fair-order.ts";
import type { Db } from "../store/db.ts";
import { lockFairShare, moveFairShare, type Turns } from "../store/fairness.store.ts";
import type { LockedEncode } from "../store/locked-encode.store.ts";
import { findProbePlace, insertTasks, type NewTask } from "../store/task.store.ts";

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
  const heavy = wanted.filter((task) => task.queue !== lightQueue);
  const light = wanted.filter((task) => task.queue === lightQueue);
  const costs = heavy.map((task) => (task.kind === "encode_chunk" ? task.weight : 0));
  const heavyPlaces = heavy.length > 0 ? await takeTurns(db, encode, "heavy", costs) : [];
  const lightPlace = light.length > 0 ? await placeOfLightWork(db, encode) : 0;
  const tasks: NewTask[] = [
    ...heavy.map((task, index) => ({ ...task, id: randomUUID(), place: heavyPlaces[index] ?? 0 })),
    ...light.map((task) => ({ ...task, id: randomUUID(), place: lightPlace })),
  ];
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

async function takeTurns(
  db: Db,
  { ownerId, priority }: Pick<LockedEncode, "ownerId" | "priority">,
  turns: Turns,
  costs: readonly number[],
): Promise<number[]> {
  const { finish, reached } = await lockFairShare(db, ownerId, turns);
  const { places, share } = fairPlaces(costs, { finish }, reached, priority);
  await moveFairShare(db, ownerId, turns, share.finish);
  return places;
}

/** What an encode's light work counts, in seconds of video: whatever its length, since most of such a task is to begin it. */
const lightCost = 4;

/**
 * People take turns at light work by encodes: all of one has the place of its probe. So an encode that has begun is finished before the same person's next one is looked at, and of two hundred videos the first are
 * there early, rather than all of them at the end.
 */
async function placeOfLightWork(db: Db, encode: Pick<LockedEncode, "id" | "ownerId" | "priority">): Promise<number> {
  const known = await findProbePlace(db, encode.id);
  if (known !== undefined) return known;
  const [place = 0] = await takeTurns(db, encode, "light", [lightCost]);
  return place;
}

/** Wakes whoever waits for tasks, if these queues are any. */
export function announceTasks(context: Pick<Context, "taskSignal">, queues: readonly string[]): void {
  if (queues.length > 0) context.taskSignal.announce();
}
