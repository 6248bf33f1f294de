import { type EncodePlan, type MediaInfo, planTrial } from "@kinora/media";
import {
  AnalyseTaskSchema,
  AudioTaskSchema,
  EncodeChunkTaskSchema,
  ImagesTaskSchema,
  TrialTaskSchema,
} from "@kinora/proto-encoder";
import { imagesShare, soundShare } from "../domain/progress.ts";
import { encoderQueue, lightQueue } from "../domain/task-kind.ts";
import { toStored } from "../messages/stored-json.ts";
import type { WantedTask } from "./queue-tasks.ts";

/** How much is measured: some frames of each chunk. Of a frame, it costs about half as much as to encode it. */
const qualityStride = 8;
const storyboard = { tileSide: 320, maxTiles: 400 };

/** The tasks of a plan whose source isn't analysed yet: those of its head first, since people wait for them. */
export function tasksOfHead(plan: EncodePlan, media: MediaInfo): WantedTask[] {
  const [sound, ...otherSounds] = audioTasks(plan, media.durationSeconds);
  const work = toStored(AnalyseTaskSchema, { media, plan });
  return [
    ...chunkTasks(plan, 0),
    ...trialTask(plan, media.durationSeconds),
    // What the stream begins with, then what all other chunks wait for.
    ...(sound ? [sound] : []),
    { kind: "analyse", queue: lightQueue, weight: 0, work },
    ...otherSounds,
  ];
}

/** The tasks that a complete plan adds: the chunks from number `from` on, and the pictures. */
export function tasksOfRest(plan: EncodePlan, from: number, durationSeconds: number): WantedTask[] {
  return [...chunkTasks(plan, from), ...imagesTask(plan, durationSeconds)];
}

/** The trials that a per-title ladder is chosen by. */
function trialTask({ video, settings }: EncodePlan, durationSeconds: number): WantedTask[] {
  if (!video || settings?.ladder !== "per-title") return [];
  const trial = planTrial({ video, fixed: video.renditions, durationSeconds });
  const queue = encoderQueue(video.renditions[0]?.encoder || "cpu");
  return [{ kind: "trial", queue, weight: 0, work: toStored(TrialTaskSchema, trial) }];
}

/** A task for each chunk and each encoder family of its renditions. */
function chunkTasks(plan: EncodePlan, from: number): WantedTask[] {
  const { video, chunks = [], segmentSeconds } = plan;
  if (!video) return [];
  const families = [...new Set(video.renditions.map((rendition) => rendition.encoder || "cpu"))];
  return chunks.slice(from).flatMap((chunk) =>
    families.map((family): WantedTask => {
      const renditions = video.renditions.filter((rendition) => (rendition.encoder || "cpu") === family);
      return {
        kind: "encode_chunk",
        queue: encoderQueue(family),
        chunk: chunk.index,
        tracks: renditions.map((rendition) => rendition.name),
        firstSegment: chunk.firstSegment,
        segments: chunk.segmentPts.length,
        weight: chunkSeconds(plan, chunk.index),
        work: toStored(EncodeChunkTaskSchema, {
          chunk,
          video: { ...video, renditions },
          segmentSeconds,
          qualityStride,
        }),
      };
    }),
  );
}

/** Length of a chunk in seconds; of the last one of an incomplete plan, as its segments say. */
function chunkSeconds({ video, chunks = [], segmentSeconds }: EncodePlan, index: number): number {
  const chunk = chunks[index];
  const { num = 1, den = 1 } = video?.timeBase ?? {};
  if (chunk?.endPts !== undefined) return (Number(chunk.endPts - chunk.startPts) * num) / den;
  const rate = video?.frameRate;
  if (chunk && chunk.frameCount > 0 && rate && rate.num > 0) return (chunk.frameCount * rate.den) / rate.num;
  return (chunk?.segmentPts.length ?? 0) * segmentSeconds;
}

function audioTasks(plan: EncodePlan, durationSeconds: number): WantedTask[] {
  const { audioTracks = [], segmentSeconds, video } = plan;
  return audioTracks.map((audio) => ({
    kind: "audio",
    queue: lightQueue,
    tracks: [audio.name || "audio"],
    weight: durationSeconds * soundShare,
    work: toStored(AudioTaskSchema, { audio, startSeconds: video?.startSeconds ?? 0, segmentSeconds }),
  }));
}

function imagesTask(plan: EncodePlan, durationSeconds: number): WantedTask[] {
  const { video, posterSeconds } = plan;
  if (!video) return [];
  return [
    {
      kind: "images",
      queue: lightQueue,
      weight: durationSeconds * imagesShare,
      work: toStored(ImagesTaskSchema, {
        // Pictures are prepared at its size, and the poster has it.
        video: { ...video, renditions: video.renditions.slice(0, 1) },
        posterSeconds,
        durationSeconds,
        ...storyboard,
      }),
    },
  ];
}
