import { toBinary } from "@bufbuild/protobuf";
import { type ChunkPlan, completePlan, type EncodePlan, type PlanDecision } from "@kinora/media";
import { EncodePlanSchema, type FrameTable, FrameTableSchema, MediaInfoSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { advanceEncode } from "../encode/advance-encode.ts";
import { endEncode } from "../encode/end-encode.ts";
import { queueTasks } from "../encode/queue-tasks.ts";
import { tasksOfRest } from "../encode/wanted-tasks.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import type { Db } from "../store/db.ts";
import { findEncodeDetails, type LockedEncode, updateEncode } from "../store/encode.store.ts";
import { deleteTasks, findTask, finishTask, listTasks } from "../store/task.store.ts";
import { type Lease, leaseGone } from "./locked-task.ts";
import { refuseResult } from "./refuse-result.ts";
import { settleTask } from "./settle-task.ts";

/** Takes the frame table of a source: the plan is completed by it, and the rest of the tasks is queued. */
export async function completeAnalysis(
  context: Context,
  lease: Lease,
  table: FrameTable,
  signal: AbortSignal,
): Promise<void> {
  const found = await findTask(context.db, lease.taskId);
  const details = found && (await findEncodeDetails(context.db, found.encodeId));
  const head = fromStored(EncodePlanSchema, details?.plan);
  const seekable = fromStored(MediaInfoSchema, details?.media)?.video?.seekable ?? false;
  if (head === undefined) throw leaseGone("cancelled");
  const decision = decide(head, table, seekable);
  if (decision === undefined) return await refuseResult(context, lease, "the frame table contradicts itself.", signal);

  await settleTask(context, lease, "analyse", signal, async (db, { encode, task }) => {
    await finishTask(db, task.id, { frames: table.frameCount });
    if (decision.plan === undefined) {
      const ended = await endEncode(context, db, encode, "failed", { error: decision.refusal });
      return { encodeId: encode.id, queues: [], ended };
    }
    const { plan } = decision;
    const durationSeconds = tableSeconds(table) || encode.durationSeconds;
    await updateEncode(db, encode.id, encode.state, {
      plan: toStored(EncodePlanSchema, plan),
      frameTable: toBinary(FrameTableSchema, table),
      durationSeconds,
    });
    const kept = await keepHead(context, db, encode, head.chunks, plan.chunks ?? []);
    const queues = await queueTasks(context, db, encode, tasksOfRest(plan, kept, durationSeconds));
    const advanced = await advanceEncode(context, db, encode);
    return { ...advanced, queues: [...queues, ...advanced.queues] };
  });
}

/** The complete plan; undefined for a table that isn't one. */
function decide(head: EncodePlan, table: FrameTable, seekable: boolean): PlanDecision | undefined {
  try {
    return completePlan(head, table, { seekable });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
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

function tableSeconds({ startPts, endPts, timeBase }: FrameTable): number {
  const { num, den } = timeBase ?? { num: 0, den: 1 };
  return Math.max(0, (Number(endPts - startPts) * num) / den);
}
