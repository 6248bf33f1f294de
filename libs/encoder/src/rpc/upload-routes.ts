import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { UploadService } from "@kinora/proto-encoder";
import { DomainError, owned, requireUser } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { findVideo, type VideoRecord } from "../store/video.store.ts";
import { type DirectUpload, partSeconds } from "../upload/direct-upload.ts";
import { ownerOf } from "./owners.ts";

/** Parts in an answer to a request that names no number. */
const usualCount = 100;

/** The handlers of encoder.v1.UploadService; without `direct`, they send everybody to the video's upload address. */
export function uploadRoutes(
  router: ConnectRouter,
  { db }: Pick<Context, "db">,
  direct: DirectUpload | undefined,
): void {
  async function find(id: string, call: HandlerContext): Promise<{ video: VideoRecord; direct: DirectUpload }> {
    const video = await findVideo(db, id, requireUser(call).userId);
    if (video === undefined) throw new DomainError("not_found", `There is no video ${id}.`);
    if (direct !== undefined) return { video, direct };
    throw new DomainError(
      "failed_precondition",
      "This installation keeps videos in a folder: send the bytes to the video's upload_url.",
    );
  }

  const video = ownerOf(db, "video");
  const owners = { createUploadParts: video, listUploadedParts: video, completeUpload: video };
  const handlers: ServiceImpl<typeof UploadService> = {
    async createUploadParts({ videoId, firstPart, count }, call) {
      const { video, direct } = await find(videoId, call);
      const expires = Date.now() + partSeconds * 1000;
      const { partBytes, total, parts } = await direct.sign(video, firstPart, count === 0 ? usualCount : count);
      return {
        partBytes: BigInt(partBytes),
        totalParts: total,
        parts: parts.map((part) => ({ ...part, bytes: BigInt(part.bytes) })),
        expireTime: timestampFromMs(expires),
      };
    },

    async listUploadedParts({ videoId }, call) {
      const { video, direct } = await find(videoId, call);
      return { parts: await direct.arrived(video) };
    },

    async completeUpload({ videoId }, call) {
      const { video, direct } = await find(videoId, call);
      await direct.complete(video);
      return {};
    },
  };
  router.service(UploadService, owned(UploadService, owners, handlers));
}
