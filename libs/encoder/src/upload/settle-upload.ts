import type { Context } from "../context.ts";
import { sourceKey } from "../domain/object-keys.ts";
import { findVideo, markUploaded, type VideoRecord } from "../store/video.store.ts";
import type { Uploads } from "./uploads.ts";

/**
 * Takes a video's upload over as its source if all bytes are here. Says whether the video is uploaded. It may be called at any time, by several at once and
 * after a crash between any two of its steps: first the file is renamed to the object, then the database notes it.
 */
export async function settleUpload(
  context: Pick<Context, "db" | "storage" | "logger">,
  uploads: Uploads,
  video: VideoRecord,
): Promise<boolean> {
  if (video.state === "uploaded") return true;
  const key = sourceKey(video.id);
  if ((await context.storage.stat(key))?.bytes !== video.sizeBytes) {
    if ((await uploads.received(video.id)) !== video.sizeBytes) return false;
    try {
      await context.storage.adopt(key, uploads.path(video.id));
    } catch (error) {
      // Somebody else may have adopted it in this moment.
      if ((await context.storage.stat(key))?.bytes !== video.sizeBytes) throw error;
    }
  }
  if (await markUploaded(context.db, video.id)) {
    context.logger.info({ videoId: video.id, bytes: video.sizeBytes }, "a video is uploaded");
    return true;
  }
  const now = await findVideo(context.db, video.id);
  // Deleted meanwhile: its cleanup may have come before the rename.
  if (now === undefined) await context.storage.deletePrefix(`${key.slice(0, -"source".length)}`);
  return now?.state === "uploaded";
}
