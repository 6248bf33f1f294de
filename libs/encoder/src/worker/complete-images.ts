import { type ImagesResult, ImagesResultSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { leaseStanding } from "../domain/lease.ts";
import { attemptPrefix } from "../domain/object-keys.ts";
import { advanceEncode } from "../encode/advance-encode.ts";
import { toStored } from "../messages/stored-json.ts";
import { setPictureBytes } from "../store/locked-encode.store.ts";
import { findTaskAndEncode } from "../store/task.store.ts";
import { finishTask } from "../store/task-state.store.ts";
import { filesPresent } from "./files-present.ts";
import { type Lease, leaseGone } from "./locked-task.ts";
import { refuseResult } from "./refuse-result.ts";
import { settleTask } from "./settle-task.ts";

/** Names that pictures may have: those that the stream's addresses serve. */
const imagePath = /^(?:poster\.jpg|storyboard\.vtt|storyboard-[1-9]\d{0,4}\.jpg)$/;

/** Takes poster and storyboard. */
export async function completeImages(
  context: Context,
  lease: Lease,
  result: ImagesResult,
  signal: AbortSignal,
): Promise<void> {
  const found = await findTaskAndEncode(context.db, lease.taskId);
  if (found === undefined) throw leaseGone("cancelled");
  const { task, encode } = found;
  let bytes = 0;
  if (task.kind === "images" && leaseStanding(task, lease.attempt) === "held") {
    const paths = [
      ...(result.poster === "" ? [] : [result.poster]),
      ...(result.storyboard ? [...result.storyboard.files, result.storyboard.vtt] : []),
    ];
    const present = await filesPresent(context.storage, attemptPrefix(encode, task), signal);
    const bad = paths.find((path) => !imagePath.test(path) || !present.get(path));
    if (bad !== undefined) {
      const fault = `${JSON.stringify(bad)} is no picture of a stream, or was never uploaded.`;
      return await refuseResult(context, lease, fault, signal);
    }
    for (const path of new Set(paths)) bytes += present.get(path) ?? 0;
  }
  const known = { ...lease, encodeId: encode.id };
  await settleTask(context, known, "images", signal, async (db, { encode: locked, task: own }) => {
    await setPictureBytes(db, locked.id, bytes);
    await finishTask(db, own.id, { result: toStored(ImagesResultSchema, result) });
    return await advanceEncode(context, db, locked);
  });
}
