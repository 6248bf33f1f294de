import { randomUUID } from "node:crypto";
import { type EncodeSettings, EncodeSettingsSchema } from "@kinora/proto-encoder";
import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { lightQueue } from "../domain/task-kind.ts";
import { toStored } from "../messages/stored-json.ts";
import { resolveSettings } from "../profile/resolve-settings.ts";
import { isClosed } from "../store/deleted.store.ts";
import {
  type EncodeRecord,
  findEncode,
  findEncodeUnderWay,
  insertEncode,
  type Priority,
} from "../store/encode.store.ts";
import { keepVideo } from "../store/video.store.ts";
import { recordEvent } from "../webhook/record-event.ts";
import { announceTasks, queueTasks } from "./queue-tasks.ts";

/** How a video is to be encoded. */
export type EncodeWish = { profile: string; settings: EncodeSettings | undefined; priority: Priority };

/** Starts to encode a video, or returns the encode of it that is under way. */
export async function startEncode(
  context: Context,
  videoId: string,
  ownerId: string,
  wish: EncodeWish,
  signal: AbortSignal,
): Promise<EncodeRecord> {
  const { profile, settings } = await resolveSettings(context.db, ownerId, wish.profile, wish.settings);
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
    const { priority } = wish;
    const stored = toStored(EncodeSettingsSchema, settings);
    const started = await insertEncode(db, { id, videoId, ownerId, profile, settings: stored, priority });
    if (started) {
      await queueTasks(context, db, { id, ownerId, priority }, [{ kind: "probe", queue: lightQueue, weight: 1 }]);
      await recordEvent(context, db, { type: "encode.started", ownerId, videoId, encodeId: id });
    }
    return started ? await findEncode(db, id) : await findEncodeUnderWay(db, videoId);
  });
  // The one under way may have ended between the two questions.
  if (encode === undefined) throw new DomainError("unavailable", "An encode of this video has just ended. Try again.");
  context.queue.wake();
  announceTasks(context, [lightQueue]);
  return encode;
}
