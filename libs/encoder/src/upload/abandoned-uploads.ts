import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context.ts";
import { forgetDeleted } from "../store/deleted.store.ts";
import { forgetUploadLocks } from "../store/upload.store.ts";
import { findVideo, listUnfinishedUploads, type VideoRecord } from "../store/video.store.ts";
import { forgetDeliveries } from "../store/webhook-delivery.store.ts";
import { deleteVideo } from "../video/delete-video.ts";
import { settleUpload } from "./settle-upload.ts";
import type { Uploads } from "./uploads.ts";

/** An upload that nothing has been sent of for this long is given up, in days. */
export const abandonedDays = 7;
/** Deleting something twice is no error for this long, in days. */
const rememberDays = 30;

const hourMs = 3600 * 1000;
const batch = 100;

/** Looks after uploads until the signal aborts: at the start takes over those that a crash left complete, and every hour removes the abandoned ones. */
export async function lookAfterUploads(context: Context, uploads: Uploads, signal: AbortSignal): Promise<void> {
  await quietly(context, signal, () =>
    forEachUnfinished(context, 0, signal, (video) => settleUpload(context, uploads, video)),
  );
  while (!signal.aborted) {
    await quietly(context, signal, () => removeAbandoned(context, uploads, new Date(), signal));
    await sleep(hourMs, undefined, { signal }).catch(() => {});
  }
}

/** Removes the videos whose upload was given up before `now`, and what belongs to no upload. */
export async function removeAbandoned(
  context: Context,
  uploads: Uploads,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  const limit = now.getTime() - abandonedDays * 24 * hourMs;
  await forEachUnfinished(context, abandonedDays * 24 * 3600, signal, async (video) => {
    const touched = (await uploads.lastWrite(video.id)) ?? video.createdAt;
    if (touched.getTime() > limit) return;
    context.logger.info(
      { videoId: video.id },
      `nothing was sent of an upload for ${abandonedDays} days; it is removed`,
    );
    await deleteVideo(context, video.id, video.ownerId, signal);
  });
  for (const videoId of await uploads.list()) {
    signal.throwIfAborted();
    // A complete one as well: a crash came between the note of it and the removal.
    if ((await findVideo(context.db, videoId))?.state !== "uploading") await uploads.remove(videoId, signal);
  }
  await forgetUploadLocks(context.db);
  await forgetDeleted(context.db, rememberDays);
  await forgetDeliveries(context.db, rememberDays);
}

/** Goes through the videos announced before `seconds` ago whose bytes are still missing, a batch at a time. */
async function forEachUnfinished(
  context: Context,
  seconds: number,
  signal: AbortSignal,
  act: (video: VideoRecord) => Promise<unknown>,
): Promise<void> {
  for (let last: VideoRecord | undefined; ; ) {
    const videos = await listUnfinishedUploads(context.db, seconds, batch, last);
    for (const video of videos) {
      signal.throwIfAborted();
      await act(video);
    }
    last = videos.at(-1);
    if (videos.length < batch) return;
  }
}

async function quietly(context: Context, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!signal.aborted) context.logger.warn({ err: error }, "could not look after uploads; trying again in an hour");
  }
}
