import { type MediaInfo, MediaInfoSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { toStored } from "../messages/stored-json.ts";
import { updateEncode } from "../store/locked-encode.store.ts";
import { finishTask } from "../store/task-state.store.ts";
import { type Lease, leaseGone } from "./locked-task.ts";
import { settleTask } from "./settle-task.ts";

/** Takes what a probe has found; the plan follows in the background. */
export async function completeProbe(
  context: Context,
  lease: Lease,
  media: MediaInfo,
  signal: AbortSignal,
): Promise<void> {
  await settleTask(context, lease, "probe", signal, async (db, { encode, task }) => {
    const state = transition(encode.state, "probed");
    if (state === undefined) throw leaseGone("cancelled");
    const durationSeconds = Number.isFinite(media.durationSeconds) ? Math.max(0, media.durationSeconds) : 0;
    await finishTask(db, task.id, {});
    await updateEncode(db, encode.id, state, { media: toStored(MediaInfoSchema, media), durationSeconds });
    await context.queue.send(db, "plan", { encodeId: encode.id });
    return undefined;
  });
}
