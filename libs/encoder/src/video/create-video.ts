import type { Client } from "@connectrpc/connect";
import type { QuotaService } from "@kinora/proto-user";
import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { reserveForSource } from "../quota/reserve-storage.ts";
import { isClosed } from "../store/deleted.store.ts";
import { findVideo, insertVideo, type VideoRecord } from "../store/video.store.ts";
import { settleUpload } from "../upload/settle-upload.ts";
import type { Uploads } from "../upload/uploads.ts";

/** Announces a video. An empty one is uploaded at once: there is nothing to send. */
export async function createVideo(
  context: Context,
  { uploads, quota }: { uploads: Uploads; quota: Client<typeof QuotaService> },
  announced: { id: string; ownerId: string; name: string; sizeBytes: number },
  signal: AbortSignal,
): Promise<VideoRecord> {
  await checkRoom(uploads, announced.sizeBytes);
  const { id: itemId, ownerId, sizeBytes: bytes } = announced;
  await reserveForSource(quota, { itemId, ownerId, bytes }, signal);
  const video = await context.db.transact(signal, async (db) => {
    if (await isClosed(db, announced.ownerId)) throw new DomainError("unauthenticated", "The account was deleted.");
    return await insertVideo(db, announced);
  });
  if (video.sizeBytes > 0) return video;
  await settleUpload(context, uploads, video);
  return (await findVideo(context.db, video.id)) ?? video;
}

/** Better now than after hours of sending. */
async function checkRoom(uploads: Uploads, bytes: number): Promise<void> {
  const free = await uploads.room();
  if (free !== undefined && bytes > free) {
    throw new DomainError(
      "exhausted",
      `The server has room for ${gigabytes(free)} GB, but the video has ${gigabytes(bytes)} GB.`,
    );
  }
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
