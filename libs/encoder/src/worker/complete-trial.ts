import { fromBinary } from "@bufbuild/protobuf";
import { chooseLadder, type EncodePlan, wholeSettings } from "@kinora/media";
import { EncodePlanSchema, FrameTableSchema, MediaInfoSchema, type TrialResult } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { completeEncodePlan } from "../encode/complete-plan.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import { findEncodeDetails, findFrameTable } from "../store/encode-details.store.ts";
import { updateEncode } from "../store/locked-encode.store.ts";
import { finishTask } from "../store/task-state.store.ts";
import { type Lease, leaseGone } from "./locked-task.ts";
import { settleTask } from "./settle-task.ts";

/** Takes what the trials gave: the ladder is chosen by it, and the plan completed if the source is analysed. The choice and its curve stay with the plan. */
export async function completeTrial(
  context: Context,
  lease: Lease,
  { points }: TrialResult,
  signal: AbortSignal,
): Promise<void> {
  await settleTask(context, lease, "trial", signal, async (db, { encode, task }) => {
    const details = await findEncodeDetails(db, encode.id);
    const before: EncodePlan | undefined = fromStored(EncodePlanSchema, details?.plan);
    if (before?.video === undefined) throw leaseGone("cancelled");
    const { renditions, choice } = chooseLadder({
      trials: points,
      fixed: before.video.renditions,
      frameRate: before.video.frameRate ?? { num: 25, den: 1 },
      qualityTarget: wholeSettings(before.settings).qualityTarget,
    });
    const plan: EncodePlan = { ...before, video: { ...before.video, renditions }, ladder: choice };
    await finishTask(db, task.id, {});
    await updateEncode(db, encode.id, encode.state, { plan: toStored(EncodePlanSchema, plan) });
    const table = await findFrameTable(db, encode.id);
    if (table === undefined) return undefined;
    const seekable = fromStored(MediaInfoSchema, details?.media)?.video?.seekable ?? false;
    const { durationSeconds } = encode;
    const source = { plan, table: fromBinary(FrameTableSchema, table), seekable, durationSeconds };
    return await completeEncodePlan(context, db, encode, source);
  });
}
