import { toBinary } from "@bufbuild/protobuf";
import { completePlan } from "@kinora/media";
import { EncodePlanSchema, type FrameTable, FrameTableSchema, MediaInfoSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { completeEncodePlan } from "../encode/complete-plan.ts";
import { fromStored } from "../messages/stored-json.ts";
import { findEncodeDetails } from "../store/encode-details.store.ts";
import { updateEncode } from "../store/locked-encode.store.ts";
import { findTask, listTasks } from "../store/task.store.ts";
import { finishTask } from "../store/task-state.store.ts";
import { type Lease, leaseGone } from "./locked-task.ts";
import { refuseResult } from "./refuse-result.ts";
import { settleTask } from "./settle-task.ts";

/** By so much a source may be longer than its headers stated before more quota is reserved. What is used is settled exactly in any case. */
const toleranceSeconds = 1;

/** Takes the frame table of a source: the plan is completed by it, unless its ladder still waits for trials. */
export async function completeAnalysis(
  context: Context,
  lease: Lease,
  table: FrameTable,
  signal: AbortSignal,
): Promise<void> {
  const found = await findTask(context.db, lease.taskId);
  const details = found && (await findEncodeDetails(context.db, found.encodeId));
  const first = fromStored(EncodePlanSchema, details?.plan);
  const seekable = fromStored(MediaInfoSchema, details?.media)?.video?.seekable ?? false;
  if (first === undefined) throw leaseGone("cancelled");
  try {
    completePlan(first, table, { seekable });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return await refuseResult(context, lease, "the frame table contradicts itself.", signal);
  }
  const known = { ...lease, encodeId: found?.encodeId };
  await settleTask(context, known, "analyse", signal, async (db, { encode, task }) => {
    const durationSeconds = tableSeconds(table) || encode.durationSeconds;
    await finishTask(db, task.id, { frames: table.frameCount });
    await updateEncode(db, encode.id, encode.state, {
      frameTable: toBinary(FrameTableSchema, table),
      durationSeconds,
    });
    if (durationSeconds > encode.durationSeconds + toleranceSeconds)
      await context.queue.send(db, "extend", { encodeId: encode.id });
    const trials = (await listTasks(db, encode.id)).filter((one) => one.kind === "trial");
    if (trials.some((trial) => trial.state !== "done")) return undefined;
    // As it is now: a trial may have changed it.
    const plan = fromStored(EncodePlanSchema, (await findEncodeDetails(db, encode.id))?.plan) ?? first;
    return await completeEncodePlan(context, db, encode, { plan, table, seekable, durationSeconds });
  });
}

function tableSeconds({ startPts, endPts, timeBase }: FrameTable): number {
  const { num, den } = timeBase ?? { num: 0, den: 1 };
  return Math.max(0, (Number(endPts - startPts) * num) / den);
}
