import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Video, VideoSchema, VideoState } from "@kinora/proto-encoder";
import type { TaskGroup } from "../domain/progress.ts";
import type { EncodeRecord } from "../store/encode.store.ts";
import type { VideoRecord } from "../store/video.store.ts";
import { encodeMessage, playbackOf } from "./encode-message.ts";

/** A video as callers see it. */
export function videoMessage(
  video: VideoRecord,
  uploadedBytes: number,
  latest: { encode: EncodeRecord; groups: readonly TaskGroup[] } | undefined,
  publicUrl: string,
): Video {
  return create(VideoSchema, {
    id: video.id,
    name: video.name,
    sizeBytes: BigInt(video.sizeBytes),
    uploadedBytes: BigInt(uploadedBytes),
    state: video.state === "uploaded" ? VideoState.UPLOADED : VideoState.UPLOADING,
    createTime: timestampFromDate(video.createdAt),
    ...(latest && { latestEncode: encodeMessage(latest.encode, publicUrl, latest) }),
    ...(video.published && { playback: playbackOf(publicUrl, video.id, { ...video.published, isPublished: true }) }),
  });
}

/** Where the bytes of a video are sent. */
export function uploadUrlOf(publicUrl: string, videoId: string): string {
  return `${publicUrl}/uploads/${videoId}`;
}
