import { type ChunkPlan, completePlan, type EncodePlan, type FrameTable } from "@kinora/media";
import { EncodePlanSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { toStored } from "../messages/stored-json.ts";
import type { Db } from "../store/db.ts";
import { type LockedEncode, updateEncode } from "../store/locked-encode.store.ts";
import { deleteTasks, listTasks } from "../store/task.store.ts";
import { type Advanced, advanceEncode } from "./advance-encode.ts";
import { endEncode } from "./end-encode.ts";
import { queueTasks } from "./queue-tasks.ts";
import { tasksOfRest } from "./wanted-tasks.ts";

/** Completes the plan of a locked encode by its frame table, and queues the tasks that it adds; fails the encode where the table says that it is no video. */
export async function completeEncodePlan(
  context: Context,
  db: Db,
  encode: LockedEncode,
  source: { plan: EncodePlan; table: FrameTable; seekable: boolean; durationSeconds: number },
): Promise<Advanced> {
  const { table, seekable, durationSeconds } = source;
  const { plan, refusal } = completePlan(source.plan, table, { seekable });
  if (plan === undefined) {
    const ended = await endEncode(context, db, encode, "failed", { error: refusal });
    return { encodeId: encode.id, queues: [], ended };
  }
  await updateEncode(db, encode.id, encode.state, { plan: toStored(EncodePlanSchema, plan) });
  const kept = await keepHead(context, db, encode, source.plan.chunks ?? [], plan.chunks ?? []);
  const queues = await queueTasks(context, db, encode, tasksOfRest(plan, kept, durationSeconds));
  const advanced = await advanceEncode(context, db, encode);
  return { ...advanced, queues: [...queues, ...advanced.queues] };
}

/**
 * Leaves the tasks of head chunks alone that hold, and removes those of a head that promised more than the source has. The answer is the number of chunks
 * that keep their tasks.
 */
async function keepHead(
  context: Context,
  db: Db,
  encode: LockedEncode,
  head: readonly ChunkPlan[],
  chunks: readonly ChunkPlan[],
): Promise<number> {
  const kept = head.filter((chunk, index) => chunks[index]?.segmentPts.join() === chunk.segmentPts.join()).length;
  const broken = (await listTasks(db, encode.id)).filter((task) => task.chunk !== undefined && task.chunk >= kept);
  await deleteTasks(
    db,
    broken.map((task) => task.id),
  );
  for (const task of broken) await context.queue.dropTasks(db, task.queue, [task.id]);
  return kept;
}
