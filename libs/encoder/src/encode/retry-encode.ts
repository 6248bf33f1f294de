import { randomUUID } from "node:crypto";
import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { findEncodeUnderWay } from "../store/encode.store.ts";
import { findEncodeDetails } from "../store/encode-details.store.ts";
import { lockEncode, updateEncode } from "../store/locked-encode.store.ts";
import { reviveTasks } from "../store/task-state.store.ts";
import { announceTasks } from "./queue-tasks.ts";

/**
 * Tries a failed encode again: what is done stays done, everything else waits with all its tries. Quota is reserved anew first, by the same background work that makes plans;
 * an encode that failed before it was probed is probed.
 */
export async function retryEncode(
  context: Context,
  encodeId: string,
  ownerId: string,
  signal: AbortSignal,
): Promise<void> {
  const queues = await context.db.transact(signal, async (db) => {
    const encode = await lockEncode(db, encodeId);
    if (encode === undefined || encode.ownerId !== ownerId) {
      throw new DomainError("not_found", `There is no encode ${encodeId}.`);
    }
    const underWay = await findEncodeUnderWay(db, encode.videoId);
    if (underWay !== undefined) {
      throw new DomainError(
        "failed_precondition",
        underWay.id === encodeId
          ? "The encode is under way."
          : `Another encode of this video is under way: ${underWay.id}. Cancel that first.`,
      );
    }
    if (encode.state !== "failed" || !encode.retryable) {
      throw new DomainError(
        "failed_precondition",
        encode.state === "failed"
          ? "The encode failed for a reason that another try can't change, or too long ago. Start a new one."
          : `The encode has ${encode.state === "succeeded" ? "succeeded" : "been cancelled"}, so it can't be tried again.`,
      );
    }
    const isProbed = (await findEncodeDetails(db, encodeId))?.media !== undefined;
    const state = transition(encode.state, isProbed ? "retried" : "retried unprobed");
    if (state === undefined) return [];
    await updateEncode(db, encodeId, state, { error: "", retryable: false, reservationId: randomUUID() });
    const tasks = await reviveTasks(db, encodeId);
    if (isProbed) {
      await context.queue.send(db, "plan", { encodeId });
      return [];
    }
    for (const task of tasks) await context.queue.sendTasks(db, task.queue, [{ ...task, ownerId }]);
    return tasks.map((task) => task.queue);
  });
  context.encodeChanged.notify(encodeId);
  context.queue.wake();
  announceTasks(context, queues);
}
