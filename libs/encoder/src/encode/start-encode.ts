import { randomUUID } from "node:crypto";
import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { taskQueue } from "../queue/queue.ts";
import { isClosed } from "../store/deleted.store.ts";
import { type EncodeRecord, findEncode, findEncodeUnderWay, insertEncode } from "../store/encode.store.ts";
import { insertTask } from "../store/task.store.ts";
import { keepVideo } from "../store/video.store.ts";
import { recordEvent } from "../webhook/record-event.ts";

/** Starts to encode a video, or returns the encode of it that is under way. */
export async function startEncode(
  context: Context,
  videoId: string,
  ownerId: string,
  signal: AbortSignal,
): Promise<EncodeRecord> {
  const queue = taskQueue("cpu");
  const encode = await context.db.transact(signal, async (db) => {
    const video = await keepVideo(db, videoId, ownerId);
    if (video === undefined) throw new DomainError("not_found", `There is no video ${videoId}.`);
    if (video.state !== "uploaded") {
      throw new DomainError(
        "failed_precondition",
        "The upload isn't complete. Send the missing bytes first, then start the encode.",
      );
    }
    if (await isClosed(db, ownerId)) throw new DomainError("not_found", "The account was deleted.");
    const id = randomUUID();
    const started = await insertEncode(db, { id, videoId, ownerId });
    if (started) {
      const taskId = randomUUID();
      await insertTask(db, { id: taskId, encodeId: id, kind: "probe", queue });
      await context.queue.sendTask(db, queue, taskId);
      await recordEvent(context, db, { type: "encode.started", ownerId, videoId, encodeId: id });
    }
    return started ? await findEncode(db, id) : await findEncodeUnderWay(db, videoId);
  });
  // The one under way may have ended between the two questions.
  if (encode === undefined) throw new DomainError("unavailable", "An encode of this video has just ended. Try again.");
  context.taskWaits.notify(queue);
  context.queue.wake();
  return encode;
}
