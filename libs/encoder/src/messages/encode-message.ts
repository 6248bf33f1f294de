import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Encode,
  EncodePlanSchema,
  EncodeSchema,
  MediaInfoSchema,
  type Playback,
  PlaybackSchema,
  Priority,
  EncodeState as State,
  StreamResultSchema,
  VerificationReportSchema,
} from "@kinora/proto-encoder";
import { type EncodeState, isFinal } from "../domain/encode-state.ts";
import { chunksAreKnown, progressOf, type TaskGroup, type TrackTotals, trackProgressOf } from "../domain/progress.ts";
import { taskName } from "../domain/task-kind.ts";
import { type Fleet, waitingLines } from "../domain/waiting-lines.ts";
import type { EncodeRecord } from "../store/encode.store.ts";
import type { EncodeDetails } from "../store/encode-details.store.ts";
import type { TaskRecord } from "../store/task.store.ts";
import { fromStored } from "./stored-json.ts";

const states: Readonly<Record<EncodeState, State>> = {
  queued: State.QUEUED,
  probing: State.PROBING,
  // Neither a worker nor its owner has anything to do while the plan waits, for the user service perhaps.
  planning: State.PROBING,
  planned: State.PLANNED,
  encoding: State.ENCODING,
  verifying: State.VERIFYING,
  succeeded: State.SUCCEEDED,
  failed: State.FAILED,
  cancelled: State.CANCELLED,
};

const priorities: Readonly<Record<EncodeRecord["priority"], Priority>> = {
  [-1]: Priority.LOW,
  0: Priority.NORMAL,
  1: Priority.HIGH,
};

/** What is said of an encode beside its record. */
export type EncodeParts = {
  /** How its tasks are. */
  groups: readonly TaskGroup[];
  /** How its tracks are; for who asks for this encode alone. */
  tracks?: readonly TrackTotals[] | undefined;
  /** Its large parts. */
  details?: EncodeDetails | undefined;
  /** Tasks that were given up. */
  failed?: readonly (TaskRecord & { error: string })[] | undefined;
  /** Seconds that can be played. */
  playableSeconds?: number | undefined;
  /** Who could do its work; looked up where nobody works on it. */
  fleet?: Fleet | undefined;
};

/** An encode as callers see it. */
export function encodeMessage(encode: EncodeRecord, publicUrl: string, parts: EncodeParts): Encode {
  const { groups, details, tracks = [], failed = [], playableSeconds = 0, fleet } = parts;
  const progress = progressOf(encode.state, groups, encode.durationSeconds);
  const chunks = groups.filter((group) => group.kind === "encode_chunk");
  const isPlanned = chunksAreKnown(groups);
  const count = (some: readonly TaskGroup[]) => some.reduce((sum, group) => sum + group.tasks, 0);
  const media = fromStored(MediaInfoSchema, details?.media);
  const plan = fromStored(EncodePlanSchema, details?.plan);
  const result = encode.state === "succeeded" ? fromStored(StreamResultSchema, details?.result) : undefined;
  const verification = fromStored(VerificationReportSchema, details?.verification);
  const plays = encode.state === "succeeded" || (encode.playable && !isFinal(encode.state));
  return create(EncodeSchema, {
    id: encode.id,
    videoId: encode.videoId,
    state: states[encode.state],
    progress: {
      ...progress,
      frames: BigInt(progress.frames),
      tracks: tracks.map((track) => ({
        name: track.name,
        ...trackProgressOf(track, encode.durationSeconds, isPlanned),
        bytes: BigInt(Math.round(track.bytes)),
        xpsnr: track.measured > 0 ? track.xpsnr / track.measured : 0,
      })),
      waiting: waitingLines(encode.state, groups, fleet),
      chunks: isPlanned ? count(chunks) : 0,
      chunksDone: count(chunks.filter((group) => group.state === "done")),
      runningTasks: count(groups.filter((group) => group.state === "leased")),
      playableSeconds,
    },
    error: encode.error,
    ...(media && { media }),
    ...(plan && { plan }),
    ...(result && { result }),
    ...(verification && { verification }),
    ...(plays && { playback: playbackOf(publicUrl, encode.videoId, { encodeId: encode.id, ...encode }) }),
    createTime: timestampFromDate(encode.createdAt),
    ...(encode.finishedAt && { finishTime: timestampFromDate(encode.finishedAt) }),
    attempt: encode.attempts,
    failedTasks: failed.map(({ id, kind, chunk, attempt, error }) => ({
      id,
      work: taskName(kind, chunk),
      attempts: attempt,
      reason: error,
    })),
    retryable: encode.retryable,
    priority: priorities[encode.priority],
    profile: encode.profile,
    notice: encode.notice,
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
