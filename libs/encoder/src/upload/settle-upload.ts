import { DomainError } from "@kinora/rpc";
import { StorageFullError, storageFault } from "@kinora/storage";
import type { Context } from "../context.ts";
import { videoPrefix } from "../domain/object-keys.ts";
import { storageDomainFault } from "../store/domain-storage.ts";
import { findVideo, markUploaded, type VideoRecord } from "../store/video.store.ts";
import { recordEvent } from "../webhook/record-event.ts";
import type { Uploads } from "./uploads.ts";

/**
 * Takes a video's upload over as its source if all bytes are here. Says whether the video is uploaded. It may be called at any time, by several at once and
 * after a crash between any two of its steps: first the object is made, then the database notes it.
 */
export async function settleUpload(
  context: Pick<Context, "db" | "queue" | "storage" | "logger">,
  uploads: Uploads,
  video: VideoRecord,
): Promise<boolean> {
  if (video.state === "uploaded") return true;
  if (!(await takeOver(uploads, video))) return false;
  const uploaded = await context.db.transact(undefined, async (db) => {
    if (!(await markUploaded(db, video.id))) return false;
    const { id: videoId, ownerId, name, sizeBytes } = video;
    await recordEvent(context, db, { type: "video.uploaded", ownerId, videoId, data: { name, sizeBytes } });
    return true;
  });
  if (uploaded) {
    context.queue.wake();
    context.logger.info({ videoId: video.id, bytes: video.sizeBytes }, "a video is uploaded");
    await uploads.remove(video.id).catch((error: unknown) => {
      context.logger.warn({ err: error, videoId: video.id }, "what is left of an upload is removed within an hour");
    });
    return true;
  }
  const now = await findVideo(context.db, video.id);
  // Deleted meanwhile: its cleanup may have come before the object was made.
  if (now === undefined) await context.storage.deletePrefix(videoPrefix(video.id));
  return now?.state === "uploaded";
}

/** What has arrived stays where it is if this fails. */
async function takeOver(uploads: Uploads, video: VideoRecord): Promise<boolean> {
  try {
    return await uploads.finish(video);
  } catch (error) {
    const fault = storageFault(error);
    throw fault instanceof StorageFullError
      ? new DomainError("exhausted", `${fault.message} Nothing that was sent is lost.`, { cause: fault })
      : storageDomainFault(fault);
  }
}
