import { randomUUID } from "node:crypto";
import type { ConnectRouter } from "@connectrpc/connect";
import { EncoderService } from "@kinora/proto-encoder";
import { DomainError, requireUser } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { pageSizeOf } from "../domain/page-token.ts";
import { cancelEncode } from "../encode/cancel-encode.ts";
import { deleteEncode } from "../encode/delete-encode.ts";
import { startEncode } from "../encode/start-encode.ts";
import { watchEncode } from "../encode/watch-encode.ts";
import { createWatchLimit } from "../encode/watch-limit.ts";
import { encodeMessage } from "../messages/encode-message.ts";
import { uploadUrlOf, videoMessage } from "../messages/video-message.ts";
import { findEncode, findEncodeDetails, findLatestEncodes, listEncodes } from "../store/encode.store.ts";
import { findVideo, listVideos, type VideoRecord } from "../store/video.store.ts";
import { settleUpload } from "../upload/settle-upload.ts";
import type { Uploads } from "../upload/uploads.ts";
import { createVideo } from "../video/create-video.ts";
import { deleteVideo } from "../video/delete-video.ts";
import { cursorOf, pageOf } from "./pages.ts";

/** What the handlers need beside the context. */
export type EncoderRoutesDeps = {
  context: Context;
  uploads: Uploads;
  publicUrl: () => string;
  /** Aborts when this process stops. */
  stopping: AbortSignal;
};

/** The handlers of encoder.v1.EncoderService. */
export function encoderRoutes(
  router: ConnectRouter,
  { context, uploads, publicUrl, stopping }: EncoderRoutesDeps,
): void {
  const { db } = context;

  const watches = createWatchLimit({ total: 2_000, perUser: 100 });

  async function describe(videos: readonly VideoRecord[]) {
    const encodes = await findLatestEncodes(
      db,
      videos.map((video) => video.id),
    );
    return await Promise.all(
      videos.map(async (video) => {
        const uploaded = video.state === "uploaded" ? video.sizeBytes : await uploads.received(video.id);
        return videoMessage(video, uploaded, encodes.get(video.id), publicUrl());
      }),
    );
  }

  router.service(EncoderService, {
    async createVideo({ name, sizeBytes }, call) {
      const { userId } = requireUser(call);
      const announced = { id: randomUUID(), ownerId: userId, name, sizeBytes: Number(sizeBytes) };
      const created = await createVideo(context, uploads, announced, call.signal);
      const [video] = await describe([created]);
      return { ...(video && { video }), uploadUrl: uploadUrlOf(publicUrl(), created.id) };
    },

    async getVideo({ id }, call) {
      const found = await findVideo(db, id, requireUser(call).userId);
      if (found === undefined) throw new DomainError("not_found", `There is no video ${id}.`);
      const [video] = await describe([found]);
      return {
        ...(video && { video }),
        uploadUrl: found.state === "uploaded" ? "" : uploadUrlOf(publicUrl(), found.id),
      };
    },

    async listVideos(request, call) {
      const limit = pageSizeOf(request.pageSize);
      const found = await listVideos(db, requireUser(call).userId, limit + 1, cursorOf(request.pageToken));
      const { items, nextPageToken } = pageOf(found, limit);
      return { videos: await describe(items), nextPageToken };
    },

    async deleteVideo({ id }, call) {
      await deleteVideo(context, id, requireUser(call).userId, call.signal);
      return {};
    },

    async startEncode({ videoId }, call) {
      const { userId } = requireUser(call);
      const video = await findVideo(db, videoId, userId);
      // The server may have been stopped between the last byte and the note of it.
      if (video?.state === "uploading") await settleUpload(context, uploads, video);
      return { encode: encodeMessage(await startEncode(context, videoId, userId, call.signal), publicUrl()) };
    },

    async getEncode({ id }, call) {
      const encode = await findEncode(db, id, requireUser(call).userId);
      if (encode === undefined) throw new DomainError("not_found", `There is no encode ${id}.`);
      return { encode: encodeMessage(encode, publicUrl(), await findEncodeDetails(db, id)) };
    },

    async listEncodes(request, call) {
      const limit = pageSizeOf(request.pageSize);
      const found = await listEncodes(db, requireUser(call).userId, limit + 1, {
        videoId: request.videoId || undefined,
        after: cursorOf(request.pageToken),
      });
      const { items, nextPageToken } = pageOf(found, limit);
      return { encodes: items.map((encode) => encodeMessage(encode, publicUrl())), nextPageToken };
    },

    async *watchEncode({ id }, call) {
      const { userId } = requireUser(call);
      const end = watches.begin(userId);
      try {
        for await (const { encode, details } of watchEncode(context, id, userId, call.signal, stopping)) {
          yield { encode: encodeMessage(encode, publicUrl(), details) };
        }
      } finally {
        end();
      }
    },

    async cancelEncode({ id }, call) {
      const { userId } = requireUser(call);
      await cancelEncode(context, id, userId, call.signal);
      const encode = await findEncode(db, id, userId);
      if (encode === undefined) throw new DomainError("not_found", `There is no encode ${id}.`);
      return { encode: encodeMessage(encode, publicUrl()) };
    },

    async deleteEncode({ id }, call) {
      await deleteEncode(context, id, requireUser(call).userId, call.signal);
      return {};
    },
  });
}
