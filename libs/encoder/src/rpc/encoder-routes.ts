import { randomUUID } from "node:crypto";
import type { Client, ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { EncoderService, Priority } from "@kinora/proto-encoder";
import type { QuotaService } from "@kinora/proto-user";
import { DomainError, type Owners, owned, requireUser } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { pageSizeOf } from "../domain/page-token.ts";
import { cancelEncode } from "../encode/cancel-encode.ts";
import { deleteEncode } from "../encode/delete-encode.ts";
import { findEncodeParts } from "../encode/encode-parts.ts";
import { retryEncode } from "../encode/retry-encode.ts";
import { startEncode } from "../encode/start-encode.ts";
import { watchEncode } from "../encode/watch-encode.ts";
import { createWatchLimit } from "../encode/watch-limit.ts";
import { encodeMessage } from "../messages/encode-message.ts";
import { uploadUrlOf, videoMessage } from "../messages/video-message.ts";
import { findEncode, findLatestEncodes, listEncodes } from "../store/encode.store.ts";
import { groupTasks } from "../store/task-progress.store.ts";
import { findVideo, listVideos, type VideoRecord } from "../store/video.store.ts";
import { settleUpload } from "../upload/settle-upload.ts";
import type { Uploads } from "../upload/uploads.ts";
import { createVideo } from "../video/create-video.ts";
import { deleteVideo } from "../video/delete-video.ts";
import { ownerOf, ownerOfDeleted } from "./owners.ts";
import { cursorOf, pageOf } from "./pages.ts";

const levels: Partial<Record<Priority, -1 | 0 | 1>> = {
  [Priority.LOW]: -1,
  [Priority.NORMAL]: 0,
  [Priority.HIGH]: 1,
};

/** What the handlers need beside the context. */
export type EncoderRoutesDeps = {
  context: Context;
  uploads: Uploads;
  /** Asked for room before a video is sent. */
  quota: Client<typeof QuotaService>;
  publicUrl: () => string;
  /** Aborts when this process stops. */
  stopping: AbortSignal;
};

/** The handlers of encoder.v1.EncoderService. */
export function encoderRoutes(
  router: ConnectRouter,
  { context, uploads, quota, publicUrl, stopping }: EncoderRoutesDeps,
): void {
  const { db } = context;

  const watches = createWatchLimit({ total: 2_000, perUser: 100 });

  async function describe(videos: readonly VideoRecord[]) {
    const encodes = await findLatestEncodes(
      db,
      videos.map((video) => video.id),
    );
    const groups = await groupTasks(
      db,
      [...encodes.values()].map((encode) => encode.id),
    );
    return await Promise.all(
      videos.map(async (video) => {
        const uploaded = video.state === "uploaded" ? video.sizeBytes : await uploads.received(video.id);
        const encode = encodes.get(video.id);
        const latest = encode && { encode, groups: groups.get(encode.id) ?? [] };
        return videoMessage(video, uploaded, latest, publicUrl());
      }),
    );
  }

  /** One of a person's encodes, as it is now. */
  async function describeEncode(id: string, userId: string, withDetails: boolean) {
    const encode = await findEncode(db, id, userId);
    if (encode === undefined) throw new DomainError("not_found", `There is no encode ${id}.`);
    return encodeMessage(encode, publicUrl(), await findEncodeParts(context, encode, withDetails));
  }

  const [video, encode] = [ownerOf(db, "video"), ownerOf(db, "encode")];
  const owners: Owners<typeof EncoderService> = {
    getVideo: video,
    deleteVideo: ownerOfDeleted(db, "video"),
    startEncode: video,
    getEncode: encode,
    watchEncode: encode,
    cancelEncode: encode,
    retryEncode: encode,
    deleteEncode: ownerOfDeleted(db, "encode"),
  };
  const handlers: ServiceImpl<typeof EncoderService> = {
    async createVideo({ name, sizeBytes }, call) {
      const { userId } = requireUser(call);
      const announced = { id: randomUUID(), ownerId: userId, name, sizeBytes: Number(sizeBytes) };
      const created = await createVideo(context, { uploads, quota }, announced, call.signal);
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

    async startEncode({ videoId, profile, settings, priority }, call) {
      const { userId } = requireUser(call);
      const video = await findVideo(db, videoId, userId);
      // The server may have been stopped between the last byte and the note of it.
      if (video?.state === "uploading") await settleUpload(context, uploads, video);
      const wish = { profile, settings, priority: levels[priority] ?? 0 } as const;
      const { id } = await startEncode(context, videoId, userId, wish, call.signal);
      return { encode: await describeEncode(id, userId, false) };
    },

    async getEncode({ id }, call) {
      return { encode: await describeEncode(id, requireUser(call).userId, true) };
    },

    async listEncodes(request, call) {
      const limit = pageSizeOf(request.pageSize);
      const found = await listEncodes(db, requireUser(call).userId, limit + 1, {
        videoId: request.videoId || undefined,
        after: cursorOf(request.pageToken),
      });
      const { items, nextPageToken } = pageOf(found, limit);
      const groups = await groupTasks(
        db,
        items.map((encode) => encode.id),
      );
      return {
        encodes: items.map((encode) => encodeMessage(encode, publicUrl(), { groups: groups.get(encode.id) ?? [] })),
        nextPageToken,
      };
    },

    async *watchEncode({ id }, call) {
      const { userId } = requireUser(call);
      const end = watches.begin(userId);
      try {
        for await (const { encode, parts } of watchEncode(context, id, userId, call.signal, stopping)) {
          yield { encode: encodeMessage(encode, publicUrl(), parts) };
        }
      } finally {
        end();
      }
    },

    async cancelEncode({ id }, call) {
      const { userId } = requireUser(call);
      await cancelEncode(context, id, userId, call.signal);
      return { encode: await describeEncode(id, userId, false) };
    },

    async retryEncode({ id }, call) {
      const { userId } = requireUser(call);
      await retryEncode(context, id, userId, call.signal);
      return { encode: await describeEncode(id, userId, false) };
    },

    async deleteEncode({ id }, call) {
      await deleteEncode(context, id, requireUser(call).userId, call.signal);
      return {};
    },
  };
  router.service(EncoderService, owned(EncoderService, owners, handlers));
}
