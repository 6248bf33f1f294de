import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { videoPrefix } from "../domain/object-keys.ts";
import { sendCleanup } from "../encode/cleanup.ts";
import { type Ended, endEncode, followUp } from "../encode/end-encode.ts";
import type { Db } from "../store/db.ts";
import { closeAccount, rememberDeleted, wasDeleted } from "../store/deleted.store.ts";
import { lockEncodesOf } from "../store/locked-encode.store.ts";
import { deleteProfilesOf } from "../store/profile.store.ts";
import { deleteVideoRow, findVideo, listVideos, type VideoRecord } from "../store/video.store.ts";
import { deleteWebhooksOf } from "../store/webhook.store.ts";
import { recordEvent } from "../webhook/record-event.ts";

/** Deletes a video with everything made from it. No error if its owner deleted it before. */
export async function deleteVideo(
  context: Context,
  videoId: string,
  ownerId: string,
  signal: AbortSignal,
): Promise<void> {
  const ended = await context.db.transact(signal, async (db) => {
    const video = await findVideo(db, videoId, ownerId);
    if (video !== undefined) return await removeVideo(context, db, video);
    if (await wasDeleted(db, videoId, ownerId)) return [];
    throw new DomainError("not_found", `There is no video ${videoId}.`);
  });
  for (const one of ended) await followUp(context, one);
  context.queue.wake();
}

/** Deletes everything of an account, and lets it make nothing new. The answer counts the videos. */
export async function deleteAccountData(context: Context, ownerId: string, signal: AbortSignal): Promise<number> {
  await context.db.transact(signal, async (db) => {
    await closeAccount(db, ownerId);
    await deleteProfilesOf(db, ownerId);
    await deleteWebhooksOf(db, ownerId);
  });
  for (let count = 0; ; ) {
    const videos = await listVideos(context.db, ownerId, 100);
    context.queue.wake();
    if (videos.length === 0) return count;
    for (const video of videos) {
      const ended = await context.db.transact(signal, (db) => removeVideo(context, db, video));
      for (const one of ended) await followUp(context, one);
      count += 1;
    }
  }
}

async function removeVideo(context: Context, db: Db, video: VideoRecord): Promise<Ended[]> {
  // The encodes' locks come before the video's, as where a stream is published.
  const encodes = await lockEncodesOf(db, video.id);
  const ended: Ended[] = [];
  for (const encode of encodes) {
    ended.push((await endEncode(context, db, encode, "cancelled")) ?? { encodeId: encode.id, tasks: [] });
  }
  await deleteVideoRow(db, video.id);
  await recordEvent(context, db, {
    type: "video.deleted",
    ownerId: video.ownerId,
    videoId: video.id,
    data: { name: video.name },
  });
  await rememberDeleted(db, [video.id, ...encodes.map((encode) => encode.id)], video.ownerId);
  await sendCleanup(context, db, { prefixes: [videoPrefix(video.id)], uploads: [video.id] });
  return ended;
}
