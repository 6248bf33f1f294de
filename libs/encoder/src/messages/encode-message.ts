import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Encode,
  EncodePlanSchema,
  EncodeSchema,
  MediaInfoSchema,
  type Playback,
  PlaybackSchema,
  EncodeState as State,
  StreamResultSchema,
} from "@kinora/proto-encoder";
import type { EncodeState } from "../domain/encode-state.ts";
import { progressOf } from "../domain/progress.ts";
import type { EncodeDetails, EncodeRecord } from "../store/encode.store.ts";
import { fromStored } from "./stored-json.ts";

const states: Readonly<Record<EncodeState, State>> = {
  queued: State.QUEUED,
  probing: State.PROBING,
  // Neither a worker nor its owner has anything to do while the plan waits, for the user service perhaps.
  planning: State.PROBING,
  planned: State.PLANNED,
  encoding: State.ENCODING,
  succeeded: State.SUCCEEDED,
  failed: State.FAILED,
  cancelled: State.CANCELLED,
};

/** An encode as callers see it; with `details`, whole. */
export function encodeMessage(encode: EncodeRecord, publicUrl: string, details?: EncodeDetails): Encode {
  const progress = progressOf(
    encode.state,
    encode.task?.kind === "encode" || encode.state === "probing" ? encode.task : undefined,
    encode.durationSeconds,
  );
  const media = fromStored(MediaInfoSchema, details?.media);
  const plan = fromStored(EncodePlanSchema, details?.plan);
  const result = fromStored(StreamResultSchema, details?.result);
  return create(EncodeSchema, {
    id: encode.id,
    videoId: encode.videoId,
    state: states[encode.state],
    progress: { ...progress, frames: BigInt(progress.frames) },
    error: encode.error,
    ...(media && { media }),
    ...(plan && { plan }),
    ...(result && { result }),
    ...(encode.state === "succeeded" && {
      playback: playbackOf(publicUrl, encode.videoId, { encodeId: encode.id, ...encode }),
    }),
    createTime: timestampFromDate(encode.createdAt),
    ...(encode.finishedAt && { finishTime: timestampFromDate(encode.finishedAt) }),
    attempt: encode.task?.attempt ?? 0,
  });
}

/** Where an encode's stream plays: under the video's own addresses while it is the published one, and always under its own. */
export function playbackOf(
  publicUrl: string,
  videoId: string,
  stream: { encodeId: string; isPublished: boolean; hasPoster: boolean },
): Playback {
  const video = `${publicUrl}/videos/${videoId}`;
  const streamUrl = `${video}/${stream.encodeId}`;
  const base = stream.isPublished ? video : streamUrl;
  return create(PlaybackSchema, {
    hlsUrl: `${base}/master.m3u8`,
    dashUrl: `${base}/manifest.mpd`,
    posterUrl: stream.hasPoster ? `${base}/poster.jpg` : "",
    streamUrl,
    pageUrl: stream.isPublished ? video : "",
  });
}
